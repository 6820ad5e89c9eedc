/** The schema versions that a release serves, inclusive. A version is the number of applied migrations. */
export interface SchemaWindow {
  readonly oldest: number;
  readonly newest: number;
}

/**
 * This release's declaration. Decision 0017.
 *
 * `oldest`: raise it when the code needs a later version. Version 3 adds what jobs are claimed by: leases, files and
 * campaigns. `ahead`: keep 1 while the next migration only adds; this release then serves databases that the next
 * release has already migrated. Set 0 when the code cannot work with the next migration.
 */
export const DECLARED = { oldest: 3, ahead: 1 } as const;

/** The window of a release with this number of migrations. */
export const windowOf = (
  migrations: number,
  { oldest, ahead }: { readonly oldest: number; readonly ahead: number } = DECLARED,
): SchemaWindow => ({
  oldest: Math.min(oldest, migrations),
  newest: migrations + ahead,
});

export type SchemaFit = 'inside' | 'below' | 'above';

/** Compares a version with a window. Every request calls this. */
export const fitOf = ({ oldest, newest }: SchemaWindow, schemaVersion: number): SchemaFit => {
  if (schemaVersion < oldest) return 'below';
  return schemaVersion > newest ? 'above' : 'inside';
};
