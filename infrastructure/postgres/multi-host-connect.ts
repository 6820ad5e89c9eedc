import type { ClientConfig } from 'pg';
import type { DatabaseUrl } from './database-url.ts';
import { reasonOf } from '../../domain/reason-of.ts';
import { NoServerError, SqlState, sqlStateOf, TargetSessionError } from './postgres-errors.ts';
import type { ServerAddress } from './server-address.ts';
import { roundsFor, type SessionTarget } from './session-target.ts';

/** Tries to log in to one server; rejects when it cannot be had in time, or is not what the target asks for. */
export type HostAttempt<Result> = (
  server: ClientConfig,
  target: SessionTarget,
  timeoutMs: number,
) => Promise<Result>;

/** Which server was the right one last, by the list that a URL and those derived from it have in common. */
const lastFit = new WeakMap<readonly ServerAddress[], number>();

/**
 * Tries the servers of a URL and returns what the first one gives: in their order, but for the one that was right last,
 * which comes first. Every failure passes on to the next one, a refused login as well: a standby may not know a database
 * or a password yet that the primary has.
 *
 * `timeoutMs` is for all of them together: each gets an equal share of what is left, so that a host that swallows
 * packets leaves time for those after it, and one that refuses at once leaves its share to them.
 *
 * @throws {NoServerError} when there were several to try, or one that is not what the target asks for; a lone server's
 *   error is thrown as it is
 */
export const tryHosts = async <Result>(
  url: DatabaseUrl,
  timeoutMs: number,
  attempt: HostAttempt<Result>,
): Promise<Result> => {
  const ways = url.toClientConfigs();
  const waysPerServer = ways.length / url.servers.length;
  // The server is what is remembered, not whether it took TLS at the time.
  const placeOf = (index: number): number => Math.floor(index / waysPerServer);
  const last = lastFit.get(url.servers) ?? 0;
  const servers = ways
    .map((server, index) => ({ server, place: placeOf(index) }))
    .toSorted((a, b) => Number(b.place === last) - Number(a.place === last));
  const tries = roundsFor(url.sessionTarget).flatMap((target) =>
    servers.map((server) => ({ ...server, target })),
  );
  const deadline = performance.now() + timeoutMs;
  const failures: { readonly server: ClientConfig; readonly error: unknown }[] = [];
  for (const [index, { place, server, target }] of tries.entries()) {
    const share = (deadline - performance.now()) / (tries.length - index);
    try {
      // The driver takes 0 for no limit.
      const result = await attempt(server, target, Math.max(1, Math.floor(share)));
      // Where any will do, their order is all that says which one is meant.
      if (url.sessionTarget !== 'any') lastFit.set(url.servers, place);
      return result;
    } catch (error) {
      if (tries.length === 1 && !(error instanceof TargetSessionError)) throw error;
      failures.push({ server, error });
    }
  }
  const reasons = failures.map(({ server, error }) => `${nameOf(server)}: ${reasonOf(error)}`);
  throw new NoServerError(`none of its servers can be used (${reasons.join('; ')})`, mostTelling(failures));
};

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
