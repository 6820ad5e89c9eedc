import type { PgConnection } from '../postgres/pg-connection.ts';
import { SqlState, sqlStateOf } from '../postgres/postgres-errors.ts';
import { identifier, literal } from '../postgres/quoting.ts';
import { pollUntil } from '../timing/poll-until.ts';

/** A session in a database, or one that is logging in there. A prepared transaction has no process. */
export interface Occupant {
  readonly pid: number | null;
  /** Null: it is logging in, and the server does not tell yet. */
  readonly user: string | null;
  readonly application: string | null;
  /** As `pg_stat_activity` says it; null when the login may not look at it. */
  readonly state: string | null;
  /** Whether the login may look at it and end it. */
  readonly isOurs: boolean;
  /** Whether its role may still connect to the database. */
  readonly isAdmitted: boolean;
}

/** Which sessions are ended, so that nobody is in the database: all, or `idle` ones when no other is there any longer. */
export type Eviction = 'idle' | 'all';

/** Raised when a database is not left by all who are in it. Says who they are. */
export class DatabaseInUseError extends Error {
  override readonly name = 'DatabaseInUseError';

  constructor(databaseName: string, occupants: readonly Occupant[]) {
    const who = occupants.map(describe).join(', ');
    super(`The database "${databaseName}" stays in use${who === '' ? '' : `: by ${who}`}.`);
  }
}

const PATIENCE_MS = 30_000;

/**
 * The sessions in databases of one server. What needs a database that nobody is in (a copy, a rename, a drop) goes through
 * `whenEmpty`: asked with a session inside, the server waits for 5 s, and nobody can log in meanwhile. Decision 0040.
 */
export class DatabaseSessions {
  readonly #connection: PgConnection;
  readonly #patienceMs: number;

  /** @param patienceMs for sessions that do not end; half a minute by default */
  constructor(connection: PgConnection, patienceMs = PATIENCE_MS) {
    this.#connection = connection;
    this.#patienceMs = patienceMs;
  }

  /**
   * Runs `act` when nobody is in the database, and again when somebody came in between. `act` may be run several times.
   * A database that takes no connections any longer stays empty once it is.
   *
   * @throws {DatabaseInUseError} when its patience is at an end
   */
  async whenEmpty(database: string, evict: Eviction, act: () => Promise<unknown>): Promise<void> {
    let inside: readonly Occupant[] = [];
    const attempt = async (): Promise<boolean> => {
      inside = await this.lookInto(database);
      if (inside.length > 0) {
        // While one is at work, to end the others gains nothing: they would come back.
        await (evict === 'all' || inside.every(({ state }) => state === 'idle')
          ? this.#end(inside)
          : this.#joinRoles(inside));
        inside = await this.lookInto(database);
      }
      return inside.length === 0 && this.#unlessInUse(act);
    };
    await pollUntil(attempt, this.#patienceMs, () => new DatabaseInUseError(database, inside));
  }

  /**
   * As `whenEmpty`, for statements that one transaction can hold. The first time the server itself looks who is there: when
   * nobody is, as in a spare, all of it is one round trip.
   *
   * @throws {DatabaseInUseError} when its patience is at an end
   */
  async transactWhenEmpty(database: string, evict: Eviction, statements: string): Promise<void> {
    const act = () => this.#connection.execute(`begin; ${failUnlessEmpty(database)} ${statements} commit`);
    if (!(await this.#unlessInUse(act))) await this.whenEmpty(database, evict, act);
  }

  /**
   * Ends the sessions in a database that `which` chooses, and waits until they are gone. One that is logging in is waited
   * for until the server tells whose it is: it has passed the server's checks already, and may stay.
   *
   * @throws {DatabaseInUseError} when its patience is at an end
   */
  async evict(database: string, which: (occupant: Occupant) => boolean): Promise<void> {
    let inside: readonly Occupant[] = [];
    const attempt = async (): Promise<boolean> => {
      inside = (await this.lookInto(database)).filter((occupant) => isUntold(occupant) || which(occupant));
      await this.#end(inside.filter((occupant) => !isUntold(occupant)));
      return inside.length === 0;
    };
    await pollUntil(attempt, this.#patienceMs, () => new DatabaseInUseError(database, inside));
  }

  /**
   * Who is in a database, or logging in there. A session that logs in holds a lock on the database before the server lists
   * it as a session of that database, and until after. So the locks are read first: nobody is missed between the two.
   * What the server itself does there (autovacuum) is left out: the server ends that by itself. A claim waits for this, so
   * it asks the functions below the views, which look every session's database and role up.
   */
  async lookInto(database: string): Promise<readonly Occupant[]> {
    const oid = oidOf(database);
    const answers: unknown = await this.#connection.lendDriver().query(
      `select l.pid ${arrivingIn(oid)};
       select a.pid, a.datid = d.oid as inside, pg_get_userbyid(a.usesysid) as user, a.application_name as application, a.state,
           coalesce(pg_has_role(a.usesysid, 'usage'), false) as "isOurs",
           coalesce(has_database_privilege(a.usesysid, d.oid, 'connect'), true) as "isAdmitted"
         from pg_stat_get_activity(null) a cross join (select ${oid} as oid) d
         where (a.datid = d.oid or coalesce(a.datid, 0) = 0) and a.pid <> pg_backend_pid();
       select p.gid, pg_get_userbyid(p.ownerid) as owner from pg_prepared_xact() p where p.dbid = ${oid}`,
    );
    // Three statements give three results, with these columns.
    const [arriving, sessions, prepared] = answers as [
      Rows<{ readonly pid: number }>,
      Rows<Occupant & { readonly pid: number; readonly inside: boolean | null }>,
      Rows<{ readonly gid: string; readonly owner: string }>,
    ];
    const listed = new Map(sessions.rows.map((session) => [session.pid, session]));
    const pids = new Set(arriving.rows.map(({ pid }) => pid));
    return [
      ...sessions.rows.filter(({ pid, inside, user }) => (inside === true ? user !== null : pids.has(pid))),
      ...[...pids].filter((pid) => !listed.has(pid)).map((pid) => ({ ...NOBODY_YET, pid })),
      ...prepared.rows.map(({ gid, owner }) => ({
        ...NOBODY_YET,
        user: owner,
        application: `prepared transaction ${gid}`,
      })),
    ];
  }

  /** Asks the server to end sessions. One that the login may not end is left: the next look finds it. */
  async #end(occupants: readonly Occupant[]): Promise<void> {
    await this.#joinRoles(occupants);
    for (const { pid } of occupants) {
      if (pid !== null) await this.#tries(`select pg_terminate_backend(${pid})`);
    }
  }

  /** Only a member of a role may look at its sessions and end them; who made the role may become one. */
  async #joinRoles(occupants: readonly Occupant[]): Promise<void> {
    for (const { user, isOurs } of occupants) {
      if (!isOurs && user !== null) await this.#tries(`grant ${identifier(user)} to current_user`);
    }
  }

  async #tries(statement: string): Promise<void> {
    await this.#connection.execute(statement).catch(() => undefined);
  }

  async #unlessInUse(act: () => Promise<unknown>): Promise<boolean> {
    try {
      await act();
      return true;
    } catch (error) {
      if (this.#connection.isInTransaction) await this.#connection.execute('rollback').catch(() => undefined);
      const sqlState = sqlStateOf(error);
      if (sqlState === SqlState.objectInUse || sqlState === OCCUPIED) return false;
      throw error;
    }
  }
}

const oidOf = (database: string): string =>
  `(select oid from pg_database where datname = ${literal(database)})`;

/** The locks of sessions that log in. */
const arrivingIn = (oid: string): string =>
  `from pg_locks l where l.locktype = 'object' and l.classid = 'pg_database'::regclass and l.objid = ${oid}
     and l.mode = 'RowExclusiveLock' and l.granted and l.pid <> pg_backend_pid()`;

/** SQLSTATE of the exception that `failUnlessEmpty` raises. */
const OCCUPIED = 'MAD02';

/** Fails where `lookInto` would find somebody, or a process of the server is logging in. Looks in the same order. */
const failUnlessEmpty = (database: string): string => {
  const oid = oidOf(database);
  const look = `begin
    if exists (select ${arrivingIn(oid)})
      or exists (select from pg_stat_get_activity(null) a where a.datid = ${oid} and a.usesysid is not null)
      or exists (select from pg_prepared_xact() p where p.dbid = ${oid}) then
      raise exception 'the database is in use' using errcode = '${OCCUPIED}';
    end if;
  end`;
  return `do ${literal(look)};`;
};

interface Rows<Row> {
  readonly rows: readonly Row[];
}

const NOBODY_YET: Occupant = {
  pid: null,
  user: null,
  application: null,
  state: null,
  isOurs: false,
  isAdmitted: true,
};

const isUntold = ({ user }: Occupant): boolean => user === null;

const describe = ({ pid, user, application }: Occupant): string => {
  const role = user === null ? 'a session that is logging in' : `"${user}"`;
  const details = [pid === null ? '' : `process ${pid}`, application ?? ''].filter((part) => part !== '');
  return details.length === 0 ? role : `${role} (${details.join(', ')})`;
};
