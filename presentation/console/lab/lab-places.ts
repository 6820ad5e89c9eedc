import type { Place, Target } from '../shell/navigation.ts';

/** The pages of one organization. */
export const labPlaces = (organizationId: string): readonly Place[] => {
  const home = `/o/${encodeURIComponent(organizationId)}`;
  return [
    { to: home, label: 'Overview', exact: true },
    { to: `${home}/submit`, label: 'Dock ligands', letter: 'd' },
    { to: `${home}/jobs`, label: 'Jobs', letter: 'j' },
    { to: `${home}/campaigns`, label: 'Campaigns', letter: 'c' },
    { to: `${home}/files`, label: 'Files', letter: 'f' },
    { to: `${home}/members`, label: 'Members' },
    { to: `${home}/settings`, label: 'Settings' },
    { to: `${home}/usage`, label: 'Usage' },
    { to: `${home}/audit`, label: 'Audit trail', letter: 'a' },
  ];
};

const JOB_ID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** What the palette offers for what is typed: a job or a campaign by its id. */
export const labTargets = (organizationId: string, typed: string): readonly Target[] => {
  const id = typed.trim();
  if (!JOB_ID.test(id)) return [];
  const home = `/o/${encodeURIComponent(organizationId)}`;
  return [
    { to: `${home}/jobs/${id}`, label: id, kind: 'job' },
    { to: `${home}/campaigns/${id}`, label: id, kind: 'campaign' },
  ];
};
