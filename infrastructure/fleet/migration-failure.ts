import type { MigrationOutcome } from '../../application/ports/fleet/database-migrator.ts';
import { breaksConnection, isDriverError, SqlState, sqlStateOf } from '../postgres/postgres-errors.ts';
import { reasonOf } from '../../domain/reason-of.ts';

/** Refusals that say nothing against the database: somebody is using it, or the server has no room. */
const PASSING: ReadonlySet<string> = new Set([
  SqlState.lockNotAvailable,
  SqlState.deadlockDetected,
  SqlState.objectInUse,
  SqlState.tooManyConnections,
  SqlState.cannotConnectNow,
]);

/**
 * What an error means for the attempt: to be tried again later, or a failure; and how it is told to an operator.
 *
 * @param during the migration that was under way, if any
 */
export const explainFailure = (
  error: unknown,
  during: string | null,
): Pick<MigrationOutcome, 'kind' | 'reason'> => {
  const sqlState = sqlStateOf(error);
  const where = during === null ? '' : `migration ${during}: `;
  const message = reasonOf(error);
  if (sqlState === SqlState.invalidCatalogName) {
    return { kind: 'failed', reason: 'the database is missing on the server (3D000)' };
  }
  if (sqlState === SqlState.lockNotAvailable) {
    return { kind: 'deferred', reason: `${where}busy, a lock was not to be had in time (${sqlState})` };
  }
  if (sqlState === SqlState.queryCanceled) {
    return {
      kind: 'failed',
      reason: `${where}a statement took longer than the statement timeout (${sqlState})`,
    };
  }
  if (sqlState !== null) {
    const isPassing = PASSING.has(sqlState) || breaksConnection(error);
    const reason = `${where}${withoutStatement(message)} (${sqlState})`;
    return { kind: isPassing ? 'deferred' : 'failed', reason };
  }
  // What the driver says, not the server; a migration's own error is no reason to try again.
  return { kind: isDriverError(error) ? 'deferred' : 'failed', reason: `${where}${message}` };
};

/** Knex puts the whole statement before the server's words. */
const withoutStatement = (message: string): string =>
  message.slice(message.lastIndexOf(' - ') + 1).replace(/^- /, '');
