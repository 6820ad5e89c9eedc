import type { PageRoute } from './page-route.ts';

export const FLEET_PAGES: readonly PageRoute[] = [
  { path: '/', load: async () => ({ Page: (await import('../fleet/fleet-page.tsx')).FleetPage }) },
  {
    path: '/organizations',
    load: async () => ({ Page: (await import('../organizations/organizations-page.tsx')).OrganizationsPage }),
  },
  {
    path: '/organizations/$orgId',
    load: async () => ({ Page: (await import('../organizations/organization-page.tsx')).OrganizationPage }),
  },
  {
    path: '/servers',
    load: async () => ({ Page: (await import('../servers/servers-page.tsx')).ServersPage }),
  },
  {
    path: '/processes',
    load: async () => ({ Page: (await import('../servers/processes-page.tsx')).ProcessesPage }),
  },
  {
    path: '/migrations',
    load: async () => ({ Page: (await import('../migrations/migrations-page.tsx')).MigrationsPage }),
  },
  {
    path: '/migrations/$runId',
    load: async () => ({ Page: (await import('../migrations/run-page.tsx')).RunPage }),
  },
  {
    path: '/findings',
    load: async () => ({ Page: (await import('../findings/findings-page.tsx')).FindingsPage }),
  },
  { path: '/audit', load: async () => ({ Page: (await import('../audit/audit-page.tsx')).AuditPage }) },
  { path: '/people', load: async () => ({ Page: (await import('../people/people-page.tsx')).PeoplePage }) },
  {
    path: '/people/$userId',
    load: async () => ({ Page: (await import('../people/person-page.tsx')).PersonPage }),
  },
  { path: '/tasks', load: async () => ({ Page: (await import('../operations/tasks-page.tsx')).TasksPage }) },
  {
    path: '/configuration',
    load: async () => ({ Page: (await import('../operations/configuration-page.tsx')).ConfigurationPage }),
  },
  { path: '/about', load: async () => ({ Page: (await import('../operations/about-page.tsx')).AboutPage }) },
];
