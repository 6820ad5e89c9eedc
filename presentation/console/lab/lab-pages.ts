import type { PageRoute } from '../shell/page-route.ts';

/** Below `/o/$orgId`. */
export const LAB_PAGES: readonly PageRoute[] = [
  { path: '/', load: async () => ({ Page: (await import('./home-page.tsx')).HomePage }) },
  { path: '/jobs', load: async () => ({ Page: (await import('../jobs/jobs-page.tsx')).JobsPage }) },
  { path: '/jobs/$jobId', load: async () => ({ Page: (await import('../jobs/job-page.tsx')).JobPage }) },
  {
    path: '/campaigns',
    load: async () => ({ Page: (await import('../campaigns/campaigns-page.tsx')).CampaignsPage }),
  },
  {
    path: '/campaigns/$campaignId',
    load: async () => ({ Page: (await import('../campaigns/campaign-page.tsx')).CampaignPage }),
  },
  { path: '/submit', load: async () => ({ Page: (await import('../submit/submit-page.tsx')).SubmitPage }) },
  { path: '/files', load: async () => ({ Page: (await import('../files/files-page.tsx')).FilesPage }) },
  {
    path: '/members',
    load: async () => ({ Page: (await import('../people/members-page.tsx')).MembersPage }),
  },
  {
    path: '/settings',
    load: async () => ({ Page: (await import('../settings/settings-page.tsx')).SettingsPage }),
  },
  { path: '/usage', load: async () => ({ Page: (await import('../usage/usage-page.tsx')).UsagePage }) },
  { path: '/audit', load: async () => ({ Page: (await import('../audit/audit-page.tsx')).AuditPage }) },
];
