import type { ClientConfig } from 'pg';
import type { DatabaseUrl } from './database-url.ts';
import { reasonOf } from '../../domain/reason-of.ts';
import { NoServerError, SqlState, sqlStateOf, TargetSessionError } from './postgres-errors.ts';
import type { ServerAddress } from './server-address.ts';
import { roundsFor, type SessionTarget } from './session-target.ts';

/** Logs in to one server. Rejects when that fails, takes too long, or the server does not match the target. */
export type HostAttempt<Result> = (
  server: ClientConfig,
  target: SessionTarget,
  timeoutMs: number,
) => Promise<Result>;

/** The index of the server that matched last. The key is the list that a URL shares with all URLs derived from it. */
const lastMatch = new WeakMap<readonly ServerAddress[], number>();

/**
 * Tries the servers of a URL one after another and returns the first result. The server that matched last comes
 * first, the others follow in the URL's order. Every failure leads to the next server, also a refused login: a
 * standby may lag behind and not have a new database or password yet. Decision 0012.
 *
 * @param timeoutMs covers all servers together. Each attempt gets an equal share of the remaining time: a host that
 *   drops packets leaves time for the others, and a host that refuses at once leaves them its share.
 * @throws {NoServerError} when all of several servers failed, or a single one does not match the target; another
 *   error of a single server is thrown unchanged
 */
export const tryHosts = async <Result>(
  url: DatabaseUrl,
  timeoutMs: number,
  attempt: HostAttempt<Result>,
): Promise<Result> => {
  const configs = url.toClientConfigs();
  // A server has two of them where its URL leaves TLS open; both share its index.
  const configsPerServer = configs.length / url.servers.length;
  const last = lastMatch.get(url.servers) ?? 0;
  const servers = configs
    .map((server, index) => ({ server, serverIndex: Math.floor(index / configsPerServer) }))
    .toSorted((a, b) => Number(b.serverIndex === last) - Number(a.serverIndex === last));
  const tries = roundsFor(url.sessionTarget).flatMap((target) =>
    servers.map((server) => ({ ...server, target })),
  );
  const deadline = performance.now() + timeoutMs;
  const failures: { readonly server: ClientConfig; readonly error: unknown }[] = [];
  for (const [index, { serverIndex, server, target }] of tries.entries()) {
    const share = (deadline - performance.now()) / (tries.length - index);
    try {
      // The driver reads 0 as no limit.
      const result = await attempt(server, target, Math.max(1, Math.floor(share)));
      // With `any` the URL's order is the operator's preference, so no server is remembered.
      if (url.sessionTarget !== 'any') lastMatch.set(url.servers, serverIndex);
      return result;
    } catch (error) {
      if (tries.length === 1 && !(error instanceof TargetSessionError)) throw error;
      failures.push({ server, error });
    }
  }
  const reasons = failures.map(({ server, error }) => `${nameOf(server)}: ${reasonOf(error)}`);
  throw new NoServerError(`none of its servers can be used (${reasons.join('; ')})`, mostSpecific(failures));
};

/** Prefers a server's answer about the login or the database to "the other server is down" or "is a standby". */
const mostSpecific = (failures: readonly { readonly error: unknown }[]): unknown => {
  const answers = failures.filter(({ error }) => {
    const sqlState = sqlStateOf(error);
    return sqlState !== null && sqlState !== SqlState.cannotConnectNow;
  });
  return (answers.at(-1) ?? failures.at(-1))?.error;
};

const nameOf = ({ host, port }: ClientConfig): string =>
  `${host === undefined || host === '' ? 'the default host' : host}${port === undefined ? '' : `:${port}`}`;
