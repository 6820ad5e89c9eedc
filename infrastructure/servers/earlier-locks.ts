import type { Query } from '../postgres/pg-connection.ts';

const HOLD = `
  select locked, locked or not exists (
    select from pg_locks l, pg_stat_get_activity(l.pid) a
    where l.locktype = 'advisory' and l.granted and l.objsubid = 1
      and l.database = (select oid from pg_database where datname = current_database())
      and (l.classid::bigint << 32 | l.objid::bigint) = key
      and a.usesysid = to_regrole(quote_ident(current_user))
  ) as admitted
  from hashtextextended($1, 0) as key, pg_try_advisory_lock(key) as locked`;

/**
 * The locks on names as the release before this one takes them: in `postgres`, where its administrators' sessions are. The
 * processes of both releases keep out of each other's work by them. Everybody can take a lock there, so one that is not the
 * login's own does not count. They go with the next release.
 */
export class EarlierLocks {
  readonly #ask: <Row>(query: Query<Row>) => Promise<readonly Row[] | null>;

  /** @param ask a session in `postgres` that this process keeps; null when it does not answer */
  constructor(ask: <Row>(query: Query<Row>) => Promise<readonly Row[] | null>) {
    this.#ask = ask;
  }

  /** Returns what gives the lock back; null when a process of the earlier release works under the name. */
  async hold(name: string): Promise<(() => void) | null> {
    const answer = await this.#ask<{ locked: boolean; admitted: boolean }>({ text: HOLD, values: [name] });
    const { locked, admitted } = answer?.[0] ?? { locked: false, admitted: true };
    if (!admitted) return null;
    return () => {
      if (!locked) return;
      void this.#ask({
        text: 'select pg_advisory_unlock(hashtextextended($1, 0))',
        values: [name],
      });
    };
  }
}
