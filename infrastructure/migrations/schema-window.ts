/** The schema versions of results databases that a release serves; a version is the number of migrations applied. */
export interface SchemaWindow {
  readonly oldest: number;
  readonly newest: number;
}

/**
 * What this release declares. Raise `oldest` when its code comes to need a later version, and keep `ahead` as long as
 * the next migration only adds: then this release goes on serving while the next one migrates. 0 when the code could
 * not live with the next migration. Version 2 has the outbox that every write leaves its audit entry in.
 */
export const DECLARED = { oldest: 2, ahead: 1 } as const;

/** The window of a release that has so many migrations. */
export const windowOf = (
  migrations: number,
  { oldest, ahead }: { readonly oldest: number; readonly ahead: number } = DECLARED,
): SchemaWindow => ({
  oldest: Math.min(oldest, migrations),
  newest: migrations + ahead,
});

export type SchemaFit = 'inside' | 'below' | 'above';

/** Two integer comparisons: this is asked for every request. */
export const fitOf = ({ oldest, newest }: SchemaWindow, schemaVersion: number): SchemaFit => {
  if (schemaVersion < oldest) return 'below';
  return schemaVersion > newest ? 'above' : 'inside';
};
