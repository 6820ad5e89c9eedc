/** A page that the navigation leads to. */
export interface Place {
  readonly to: string;
  readonly label: string;
  /** The second key after `g`. */
  readonly key?: string;
  /** Its address is the beginning of others. */
  readonly exact?: boolean;
}

/** What the palette offers. */
export interface Target {
  readonly to: string;
  readonly label: string;
  readonly kind: string;
}

export const FLEET_PLACES: readonly Place[] = [
  { to: '/fleet', label: 'Fleet', key: 'f', exact: true },
  { to: '/fleet/organizations', label: 'Organizations', key: 'o' },
  { to: '/fleet/servers', label: 'Servers', key: 's' },
  { to: '/fleet/processes', label: 'Processes', key: 'p' },
  { to: '/fleet/migrations', label: 'Migrations', key: 'm' },
  { to: '/fleet/findings', label: 'Findings' },
  { to: '/fleet/audit', label: 'Audit trail', key: 'a' },
  { to: '/fleet/people', label: 'People' },
  { to: '/fleet/tasks', label: 'Background tasks' },
  { to: '/fleet/configuration', label: 'Configuration' },
  { to: '/fleet/about', label: 'About' },
];
