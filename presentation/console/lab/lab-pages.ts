import type { PageRoute } from '../shell/page-route.ts';

/** Below `/o/$orgId`. */
export const LAB_PAGES: readonly PageRoute[] = [
  { path: '/', load: async () => ({ Page: (await import('./home-page.tsx')).HomePage }) },
  {
    path: '/members',
    load: async () => ({ Page: (await import('../people/members-page.tsx')).MembersPage }),
  },
  { path: '/audit', load: async () => ({ Page: (await import('../audit/audit-page.tsx')).AuditPage }) },
];
