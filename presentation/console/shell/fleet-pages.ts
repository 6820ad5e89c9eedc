import type { PageRoute } from './page-route.ts';

export const FLEET_PAGES: readonly PageRoute[] = [
  { path: '/', load: async () => ({ Page: (await import('../fleet/fleet-page.tsx')).FleetPage }) },
  {
    path: '/organizations',
    load: async () => ({ Page: (await import('../organizations/organizations-page.tsx')).OrganizationsPage }),
  },
];
