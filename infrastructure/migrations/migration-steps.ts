/** Raised when a database has migrations that this release does not know. A newer release has migrated it. */
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
 * Returns the migrations to run so that exactly the release's first `target` ones are applied. Pure.
 *
 * @param names all migrations of the release, in order
 * @throws {UnknownMigrationError} when `applied` holds a name that is not in `names`
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

/**
 * Returns the migrations of a newer release: those that a database has beyond all of this one's. Where it lacks one of
 * this release's, or has another one between them, it is not a newer release's, and nothing is returned. Pure.
 */
export const newerThan = (
  names: readonly string[],
  applied: readonly AppliedMigration[],
): readonly string[] => {
  const present = applied.map(({ name }) => name);
  const unknown = present.filter((name) => !names.includes(name));
  const last = names.at(-1) ?? '';
  const isNewer = names.every((name) => present.includes(name)) && unknown.every((name) => name > last);
  return isNewer ? unknown : [];
};
