/** A page that the navigation leads to. */
export interface Place {
  readonly to: string;
  readonly label: string;
  /** The key after `g`. */
  readonly letter?: string;
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
  { to: '/fleet', label: 'Fleet', letter: 'f', exact: true },
  { to: '/fleet/organizations', label: 'Organizations', letter: 'o' },
  { to: '/fleet/servers', label: 'Servers', letter: 's' },
  { to: '/fleet/processes', label: 'Processes', letter: 'p' },
  { to: '/fleet/migrations', label: 'Migrations', letter: 'm' },
  { to: '/fleet/findings', label: 'Findings' },
  { to: '/fleet/audit', label: 'Audit trail', letter: 'a' },
  { to: '/fleet/people', label: 'People' },
  { to: '/fleet/tasks', label: 'Background tasks' },
  { to: '/fleet/configuration', label: 'Configuration' },
  { to: '/fleet/about', label: 'About' },
];
