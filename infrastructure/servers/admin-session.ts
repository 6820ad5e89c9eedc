import type { PgConnection } from '../postgres/pg-connection.ts';
import { SqlState, sqlStateOf } from '../postgres/postgres-errors.ts';
import { identifier, literal } from '../postgres/quoting.ts';
import type { ListedDatabase, ServerSession } from '../../application/ports/databases/server-session.ts';
import { TemplateMissingError } from '../../application/ports/databases/database-template.ts';
import { pollUntil } from '../timing/poll-until.ts';
import type { OrganizationLogins } from './organization-logins.ts';
import { scramVerifier } from '../postgres/scram-verifier.ts';
import type { SerialQueue } from '../timing/serial-queue.ts';

/** A session open on the source or the target makes the server wait 5 s and refuse; it is soon gone. */
const IN_USE_DEADLINE_MS = 30_000;

/** One administrator's session over a connection of the server's admin pool. */
export class AdminSession implements ServerSession {
  readonly #connection: PgConnection;
  readonly #logins: OrganizationLogins | null;
  readonly #clones: SerialQueue;

  /** @param clones of this process: two at once take the processors from whoever reads meanwhile */
  constructor(connection: PgConnection, logins: OrganizationLogins | null, clones: SerialQueue) {
    this.#connection = connection;
    this.#logins = logins;
    this.#clones = clones;
  }

  async tryLock(name: string): Promise<boolean> {
    const [row] = await this.#connection.query<{ locked: boolean }>({
      text: 'select pg_try_advisory_lock(hashtextextended($1, 0)) as locked',
      values: [name],
    });
    return row?.locked === true;
  }

  listDatabases(): Promise<readonly ListedDatabase[]> {
    return this.#connection.query({
      text: `select datname as name, shobj_description(oid, 'pg_database') as identity from pg_database order by datname`,
      values: [],
    });
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
    await this.#unlessPresent(() => this.#whenUnused(`create database ${identifier(name)}`));
  }

  async clone(template: string, name: string): Promise<void> {
    const statement = `create database ${identifier(name)} template ${identifier(template)}`;
    try {
      await this.#clones.run(() => this.#unlessPresent(() => this.#whenUnused(statement)));
    } catch (error) {
      if (sqlStateOf(error) !== SqlState.invalidCatalogName) throw error;
      throw new TemplateMissingError(`there is no template "${template}"`, { cause: error });
    }
  }

  /**
   * As `clone`, of a database that is in service: sessions that lay idle for a second are ended (pools notice), and new
   * ones wait for the copy. Closed to everyone but the service.
   */
  async copy(source: string, name: string): Promise<void> {
    await this.#whenUnused(
      `create database ${identifier(name)} template ${identifier(source)} allow_connections false`,
      () => this.#endSessions(source, { idle: true }),
    );
    await this.#connection.execute(`revoke all on database ${identifier(name)} from public`);
    await this.allowConnections(name);
  }

  /** In bytes. */
  async sizeOf(name: string): Promise<number> {
    const [row] = await this.#connection.query<{ bytes: string }>({
      text: 'select pg_database_size($1) as bytes',
      values: [name],
    });
    return Number(row?.bytes ?? 0);
  }

  /** Only for databases that hold nobody's data, or a copy of it. */
  async drop(name: string): Promise<void> {
    await this.#connection.execute(`drop database if exists ${identifier(name)} with (force)`);
  }

  async dropSpare(name: string, spareId: string): Promise<void> {
    await this.drop(name);
    const user = this.#logins?.loginFor(spareId).user;
    if (user === undefined) return;
    try {
      await this.#connection.execute(`drop role if exists ${identifier(user)}`);
    } catch (error) {
      // What it was a spare for has another name now.
      if (sqlStateOf(error) !== SqlState.dependentObjectsStillExist) throw error;
    }
  }

  /** Closes a database to everyone but the service, or the one role that is its own; in one transaction, one flush. */
  async restrict(name: string, stamp: string): Promise<void> {
    const close = `revoke all on database ${identifier(name)} from public`;
    if (this.#logins === null) return void (await this.#connection.execute(close));
    const { user, password } = this.#logins.loginFor(stamp);
    const create = `create role ${identifier(user)} login password ${literal(scramVerifier(password))}`;
    const grant = `grant ${identifier(this.#logins.groupRole)} to ${identifier(user)};
      grant connect on database ${identifier(name)} to ${identifier(user)}`;
    if (await this.#unlessPresent(() => this.#connection.execute(`${close}; ${create}; ${grant}`))) return;
    // One that an earlier attempt left may have its password from an earlier secret.
    await this.setPassword(stamp);
    await this.#connection.execute(`${close}; ${grant}`);
  }

  /** Gives the role of a database its password anew; false when there is no such role. */
  async setPassword(stamp: string): Promise<boolean> {
    const login = this.#logins?.loginFor(stamp);
    if (login === undefined) return false;
    const verifier = scramVerifier(login.password);
    try {
      await this.#connection.execute(`alter role ${identifier(login.user)} password ${literal(verifier)}`);
      return true;
    } catch (error) {
      if (sqlStateOf(error) === SqlState.undefinedObject) return false;
      throw error;
    }
  }

  /** Takes a database away from the role of an earlier stamp, and removes that role unless another database needs it. */
  async removeRole(name: string, stamp: string): Promise<void> {
    const user = this.#logins?.loginFor(stamp).user;
    if (user === undefined) return;
    const role = identifier(user);
    try {
      await this.#connection.execute(`revoke all on database ${identifier(name)} from ${role}`);
      await this.#endSessions(name, { user });
      await this.#connection.execute(`drop role ${role}`);
    } catch (error) {
      const sqlState = sqlStateOf(error);
      if (sqlState !== SqlState.undefinedObject && sqlState !== SqlState.dependentObjectsStillExist)
        throw error;
    }
  }

  /** Those of the databases that their own role cannot use, as it is missing or lacks rights. None without roles. */
  async withoutRoleAccess(
    databases: readonly { readonly databaseName: string; readonly stamp: string }[],
  ): Promise<ReadonlySet<string>> {
    const logins = this.#logins;
    if (logins === null || databases.length === 0) return new Set();
    // By number: what is dropped meanwhile gives null rather than an error.
    const rows = await this.#connection.query<{ name: string }>({
      text: `select d.datname as name
             from unnest($1::text[], $2::text[]) as own(name, role)
             join pg_database d on d.datname = own.name
             left join pg_roles r on r.rolname = own.role
             left join pg_roles g on g.rolname = $3
             where coalesce(not (has_database_privilege(r.oid, d.oid, 'connect') and pg_has_role(r.oid, g.oid, 'member')), true)`,
      values: [
        databases.map(({ databaseName }) => databaseName),
        databases.map(({ stamp }) => logins.loginFor(stamp).user),
        logins.groupRole,
      ],
    });
    return new Set(rows.map(({ name }) => name));
  }

  async createGroupRole(): Promise<void> {
    const group = this.#logins?.groupRole;
    if (group === undefined) return;
    await this.#unlessPresent(() => this.#connection.execute(`create role ${identifier(group)} nologin`));
  }

  /** Says in a database's comment whose it is. */
  async mark(name: string, comment: string): Promise<void> {
    await this.#connection.execute(`comment on database ${identifier(name)} is ${literal(comment)}`);
  }

  async stampAndRename(name: string, finalName: string, identity: string): Promise<boolean> {
    try {
      await this.#whenUnused(
        `begin;
         comment on database ${identifier(name)} is ${literal(identity)};
         ${name === finalName ? '' : `alter database ${identifier(name)} rename to ${identifier(finalName)};`}
         commit`,
      );
      return true;
    } catch (error) {
      const sqlState = sqlStateOf(error);
      if (sqlState === SqlState.invalidCatalogName || sqlState === SqlState.duplicateDatabase) return false;
      throw error;
    }
  }

  /** Renames a database and forbids logins to it: both or neither. Its data stays. */
  async seal(name: string, finalName: string): Promise<void> {
    await this.#whenUnused(
      `begin;
       alter database ${identifier(name)} with allow_connections false;
       alter database ${identifier(name)} rename to ${identifier(finalName)};
       commit`,
    );
  }

  /** As `seal`, and ends the sessions that are open there. */
  async quarantine(name: string, finalName: string): Promise<void> {
    await this.#connection.execute(`alter database ${identifier(name)} with allow_connections false`);
    await this.#endSessions(name);
    await this.seal(name, finalName);
  }

  async allowConnections(name: string): Promise<void> {
    await this.#connection.execute(`alter database ${identifier(name)} with allow_connections true`);
  }

  /**
   * Ends clients' sessions in a database: all, those of a user, or those that lay idle for a second. Only a superuser may
   * end, or even look at, the sessions of a role that it is no member of: whoever made the role may make itself one. What
   * the server itself does there ends by itself.
   */
  async #endSessions(
    database: string,
    { user = null, idle = false }: { readonly user?: string | null; readonly idle?: boolean } = {},
  ): Promise<void> {
    const ofClients = 'datname = $1 and usename is not null and usename = coalesce($2, usename)';
    const strangers = await this.#connection.query<{ usename: string }>({
      text: `select distinct usename from pg_stat_activity
             where ${ofClients} and not pg_has_role(usesysid, 'usage')`,
      values: [database, user],
    });
    // Where that is refused, the server says below whether it matters.
    for (const { usename } of strangers)
      await this.#connection.execute(`grant ${identifier(usename)} to current_user`).catch(() => undefined);
    await this.#connection.query({
      text: `select pg_terminate_backend(pid) from pg_stat_activity
             where ${ofClients} and (not $3 or (state = 'idle' and state_change < now() - interval '1 second'))`,
      values: [database, user, idle],
    });
  }

  async #unlessPresent(create: () => Promise<unknown>): Promise<boolean> {
    try {
      await create();
      return true;
    } catch (error) {
      const sqlState = sqlStateOf(error);
      // Overlapping creators get the unique violation of the catalogue's index rather than the fitting state.
      if (sqlState === null || !ALREADY_THERE.has(sqlState)) throw error;
      return false;
    }
  }

  async #whenUnused(statement: string, before?: () => Promise<unknown>): Promise<void> {
    const attempt = async (): Promise<boolean> => {
      await before?.();
      try {
        await this.#connection.execute(statement);
        return true;
      } catch (error) {
        // A connection that broke has nothing to roll back: what broke it is what counts.
        if (!this.#connection.isReusable) await this.#connection.execute('rollback').catch(() => undefined);
        if (sqlStateOf(error) === SqlState.objectInUse) return false;
        throw error;
      }
    };
    await pollUntil(attempt, IN_USE_DEADLINE_MS, () => new Error('The database stays in use.'));
  }
}

const ALREADY_THERE: ReadonlySet<string> = new Set([
  SqlState.duplicateDatabase,
  SqlState.duplicateObject,
  SqlState.uniqueViolation,
]);
