import type { ConnectionPool } from '../database/connection-pool.ts';
import type { PgConnection } from '../database/pg-connection.ts';
import { SqlState, sqlStateOf } from '../database/postgres-errors.ts';
import { pollUntil } from '../poll-until.ts';
import type { OrganizationLogins } from './organization-logins.ts';
import { identifier, literal } from '../database/quoting.ts';

const LOCK_DEADLINE_MS = 60_000;

/** A session open on the source or the target makes the server wait 5 s and refuse; it is soon gone. */
const IN_USE_DEADLINE_MS = 30_000;

/** What the administrator does on the server that holds the results databases. Every act is safe to repeat. */
export class ResultsServer {
  readonly #admin: ConnectionPool;
  readonly #logins: OrganizationLogins | null;

  /**
   * @param admin connections to the server's `postgres` database; their number bounds the acts under way
   * @param logins null: all databases are used with the login of the service
   */
  constructor(admin: ConnectionPool, logins: OrganizationLogins | null) {
    this.#admin = admin;
    this.#logins = logins;
  }

  /** Runs `work` while no other process does the same under this name. */
  exclusively<Result>(name: string, work: (session: ServerSession) => Promise<Result>): Promise<Result> {
    return this.#admin.session(async (connection) => {
      const session = new ServerSession(connection, this.#logins);
      await pollUntil(() => session.tryLock(name), LOCK_DEADLINE_MS, `the lock "${name}"`);
      return work(session);
    });
  }
}

/** One administrator's session. Its locks and its settings end with it. */
export class ServerSession {
  readonly #connection: PgConnection;
  readonly #logins: OrganizationLogins | null;

  constructor(connection: PgConnection, logins: OrganizationLogins | null) {
    this.#connection = connection;
    this.#logins = logins;
  }

  async tryLock(name: string): Promise<boolean> {
    const [row] = await this.#connection.query<{ locked: boolean }>({
      text: 'select pg_try_advisory_lock(hashtextextended($1, 0)) as locked',
      values: [name],
    });
    return row?.locked === true;
  }

  async exists(name: string): Promise<boolean> {
    return (await this.identityOf(name)) !== undefined;
  }

  /** The stamp that a database carries: null for none, undefined when there is no such database. */
  async identityOf(name: string): Promise<string | null | undefined> {
    const [row] = await this.#connection.query<{ identity: string | null }>({
      text: `select shobj_description(oid, 'pg_database') as identity from pg_database where datname = $1`,
      values: [name],
    });
    return row?.identity;
  }

  async createEmpty(name: string): Promise<void> {
    await this.#create(`create database ${identifier(name)}`);
  }

  async clone(template: string, name: string): Promise<void> {
    await this.#create(`create database ${identifier(name)} template ${identifier(template)}`);
  }

  /** Only for databases that hold nobody's data. */
  async drop(name: string): Promise<void> {
    await this.#connection.execute(`drop database if exists ${identifier(name)} with (force)`);
  }

  /** Closes a database to everyone but the service, or the one role that is its own. */
  async restrict(name: string, stamp: string): Promise<void> {
    await this.#connection.execute(`revoke all on database ${identifier(name)} from public`);
    if (this.#logins === null) return;
    const { user, password } = this.#logins.loginFor(stamp);
    await this.#createRole(`create role ${identifier(user)} login password ${literal(password)}`);
    await this.#connection.execute(
      `grant ${identifier(this.#logins.groupRole)} to ${identifier(user)};
       grant connect on database ${identifier(name)} to ${identifier(user)}`,
    );
  }

  async createGroupRole(): Promise<void> {
    if (this.#logins !== null) await this.#createRole(`create role ${identifier(this.#logins.groupRole)} nologin`);
  }

  /** Stamps a database and gives it its final name: both or neither. */
  async adopt(name: string, finalName: string, identity: string): Promise<void> {
    await this.#whenUnused(
      `begin;
       comment on database ${identifier(name)} is ${literal(identity)};
       alter database ${identifier(name)} rename to ${identifier(finalName)};
       commit`,
    );
  }

  /** Gives a finished template its final name, and lets nobody connect to it any more: both or neither. */
  async seal(name: string, finalName: string): Promise<void> {
    await this.#whenUnused(
      `begin;
       alter database ${identifier(name)} with allow_connections false;
       alter database ${identifier(name)} rename to ${identifier(finalName)};
       commit`,
    );
  }

  /** A database of that name that was made in the meantime will do: the caller looks whose it is. */
  async #create(statement: string): Promise<void> {
    try {
      await this.#whenUnused(statement);
    } catch (error) {
      const sqlState = sqlStateOf(error);
      // Overlapping creators get the unique violation of the catalogue's index rather than "duplicate database".
      if (sqlState !== SqlState.duplicateDatabase && sqlState !== SqlState.uniqueViolation) throw error;
    }
  }

  async #createRole(statement: string): Promise<void> {
    try {
      await this.#connection.execute(statement);
    } catch (error) {
      const sqlState = sqlStateOf(error);
      if (sqlState !== SqlState.duplicateObject && sqlState !== SqlState.uniqueViolation) throw error;
    }
  }

  async #whenUnused(statement: string): Promise<void> {
    const attempt = async (): Promise<boolean> => {
      try {
        await this.#connection.execute(statement);
        return true;
      } catch (error) {
        if (!this.#connection.isReusable) await this.#connection.execute('rollback');
        if (sqlStateOf(error) === SqlState.objectInUse) return false;
        throw error;
      }
    };
    await pollUntil(attempt, IN_USE_DEADLINE_MS, 'a database that is in use');
  }
}
