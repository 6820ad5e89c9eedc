import type { PageRoute } from '../shell/page-route.ts';

/** Below `/o/$orgId`. */
export const LAB_PAGES: readonly PageRoute[] = [
  { path: '/', load: async () => ({ Page: (await import('./home-page.tsx')).HomePage }) },
];
