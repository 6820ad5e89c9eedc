import type { ClientConfig } from 'pg';
import type { DatabaseUrl } from './database-url.ts';
import { reasonOf } from '../reason-of.ts';
import { NoServerError, SqlState, sqlStateOf } from './postgres-errors.ts';
import { roundsFor, type SessionTarget } from './session-target.ts';

/** Tries to log in to one server; rejects when it cannot be had in time, or is not what the target asks for. */
export type ServerAttempt<Result> = (
  server: ClientConfig,
  target: SessionTarget,
  timeoutMs: number,
) => Promise<Result>;

/**
 * Tries the servers of a URL in their order and returns what the first one gives. Every failure passes on to the next
 * one, a refused login as well: a standby may not know a database or a password yet that the primary has.
 *
 * `timeoutMs` is for all of them together: each gets an equal share of what is left, so that a host that swallows
 * packets leaves time for those after it, and one that refuses at once leaves its share to them.
 *
 * @throws {NoServerError} when there were several to try, or one that is not what the target asks for; a lone server's
 *   error is thrown as it is
 */
export const tryServers = async <Result>(
  url: DatabaseUrl,
  timeoutMs: number,
  attempt: ServerAttempt<Result>,
): Promise<Result> => {
  const servers = url.toClientConfigs();
  const tries = roundsFor(url.sessionTarget).flatMap((target) =>
    servers.map((server) => ({ server, target })),
  );
  const deadline = performance.now() + timeoutMs;
  const failures: { readonly server: ClientConfig; readonly error: unknown }[] = [];
  for (const [index, { server, target }] of tries.entries()) {
    const share = (deadline - performance.now()) / (tries.length - index);
    try {
      // The driver takes 0 for no limit.
      return await attempt(server, target, Math.max(1, Math.floor(share)));
    } catch (error) {
      if (tries.length === 1 && !(error instanceof UnfitServerError)) throw error;
      failures.push({ server, error });
    }
  }
  const reasons = failures.map(({ server, error }) => `${nameOf(server)}: ${reasonOf(error)}`);
  throw new NoServerError(`none of its servers can be used (${reasons.join('; ')})`, mostTelling(failures));
};

/** Raised for a server that took the login and is not what the connection is for. */
export class UnfitServerError extends Error {
  override readonly name = 'UnfitServerError';
}

/** What a server says about the login or the database tells more than that others are down, or are standbys. */
const mostTelling = (failures: readonly { readonly error: unknown }[]): unknown => {
  const answers = failures.filter(({ error }) => {
    const sqlState = sqlStateOf(error);
    return sqlState !== null && sqlState !== SqlState.cannotConnectNow;
  });
  return (answers.at(-1) ?? failures.at(-1))?.error;
};

const nameOf = ({ host, port }: ClientConfig): string =>
  `${host === undefined || host === '' ? 'the default host' : host}${port === undefined ? '' : `:${port}`}`;
