/** Raised when a database has migrations that this release does not know: it belongs to a newer one. */
export class UnknownMigrationError extends Error {
  override readonly name = 'UnknownMigrationError';
}

/** A row of Knex's history table. */
export interface AppliedMigration {
  readonly name: string;
  readonly batch: number;
}

export interface MigrationSteps {
  readonly up: readonly string[];
  /** Newest first. */
  readonly down: readonly string[];
}

/**
 * What leads from what is applied to the first `target` of the release's migrations. Pure.
 *
 * @param names all of the release's migrations, in their order
 * @throws {UnknownMigrationError} when something is applied that the release does not know
 */
export const stepsBetween = (
  names: readonly string[],
  applied: readonly AppliedMigration[],
  target: number,
): MigrationSteps => {
  const present = new Set(applied.map(({ name }) => name));
  const unknown = [...present].filter((name) => !names.includes(name));
  if (unknown.length > 0) {
    throw new UnknownMigrationError(
      `the database has migrations that this release does not know: ${unknown.join(', ')}`,
    );
  }
  return {
    up: names.slice(0, target).filter((name) => !present.has(name)),
    down: names
      .slice(target)
      .filter((name) => present.has(name))
      .toReversed(),
  };
};
