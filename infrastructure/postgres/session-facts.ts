import { SqlState, sqlStateOf } from './postgres-errors.ts';
import type { ServerAddress } from './server-address.ts';
import { IDENTITY, OF_THIS_DATABASE } from './stamp-sql.ts';

/** What a session says about itself right after its login. */
export interface SessionFacts {
  /** Of the server's process. A pooler gives the client another number at login. */
  readonly processId: number;
  /** The stamp of the database, or other text; null for none. */
  readonly identity: string | null;
  /** Whether the role that logged in has settings for its sessions, in this database or in all. */
  readonly roleHasSettings: boolean;
  /** Of the cluster; null when the server does not say. */
  readonly systemIdentifier: string | null;
  /** The timeline that the server writes; null on a standby, and when the server does not say. */
  readonly timeline: number | null;
}

/**
 * The role is the one that logged in, whatever role its settings chose; and the catalogue's table is meant, whatever path
 * they chose.
 */
const ALWAYS_TOLD = `pg_backend_pid() as "processId", ${IDENTITY} as identity, exists (
    select from pg_catalog.pg_db_role_setting
    where setrole = pg_catalog.to_regrole(pg_catalog.quote_ident(session_user))
  ) as "roleHasSettings"`;

/** A promotion is in the name of the log file at once; the control file has it after the next checkpoint. */
export const READ_FACTS = `select ${ALWAYS_TOLD},
  (select system_identifier::text from pg_control_system()) as "systemIdentifier",
  case when not pg_is_in_recovery()
    then ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int end as timeline
  ${OF_THIS_DATABASE}`;

const READ_LITTLE = `select ${ALWAYS_TOLD}, null as "systemIdentifier", null as timeline ${OF_THIS_DATABASE}`;

/** Providers forbid, or do not have, functions that show the server's files. */
const UNTOLD: ReadonlySet<string | null> = new Set([
  SqlState.insufficientPrivilege,
  SqlState.featureNotSupported,
  SqlState.undefinedFunction,
]);

/** Servers that do not say which cluster they are, by the list that a URL shares with all URLs derived from it. */
const reticent = new WeakSet<readonly ServerAddress[]>();

/** @param ask runs a statement that returns one row */
export const readFacts = async (
  servers: readonly ServerAddress[],
  ask: (text: string) => Promise<readonly SessionFacts[]>,
): Promise<SessionFacts> => {
  const [facts] = await (async () => {
    if (reticent.has(servers)) return ask(READ_LITTLE);
    try {
      return await ask(READ_FACTS);
    } catch (error) {
      if (!UNTOLD.has(sqlStateOf(error))) throw error;
      reticent.add(servers);
      return ask(READ_LITTLE);
    }
  })();
  if (facts === undefined) throw new Error('the session is in no database');
  return facts;
};
