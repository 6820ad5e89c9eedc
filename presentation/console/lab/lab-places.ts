import type { Place, Target } from '../shell/navigation.ts';

/** The pages of one organization. */
export const labPlaces = (organizationId: string): readonly Place[] => {
  const home = `/o/${encodeURIComponent(organizationId)}`;
  return [
    { to: home, label: 'Overview', exact: true },
    { to: `${home}/members`, label: 'Members' },
    { to: `${home}/audit`, label: 'Audit trail', key: 'a' },
  ];
};

/** What the palette offers for what is typed: a job by its id, for instance. */
export const labTargets = (_organizationId: string, _typed: string): readonly Target[] => [];
