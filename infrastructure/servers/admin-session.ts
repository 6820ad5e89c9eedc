import type { PgConnection } from '../postgres/pg-connection.ts';
import { closeToPublic, createDatabase, openToOwner, unlessPresent } from '../postgres/new-database.ts';
import { SqlState, sqlStateOf } from '../postgres/postgres-errors.ts';
import { identifier, literal } from '../postgres/quoting.ts';
import type { ListedDatabase, ServerSession } from '../../application/ports/databases/server-session.ts';
import { TemplateMissingError } from '../../application/ports/databases/database-template.ts';
import { toPage, type Page, type PageRequest } from '../../domain/page.ts';
import type { SerialQueue } from '../timing/serial-queue.ts';
import { DatabaseSessions } from './database-sessions.ts';
import type { OrganizationLogins } from './organization-logins.ts';
import { makeRole, raiseConnectionLimit, restoreRole, setRole } from './organization-role.ts';
import type { Right, ServerProblems } from './server-problems.ts';

const DATABASES = `select datname as name, shobj_description(oid, 'pg_database') as identity from pg_database`;

export interface AdminSessionDeps {
  readonly connection: PgConnection;
  /** Null: all databases are used with the login of the service. */
  readonly logins: OrganizationLogins | null;
  /** Of this process: two at once take the processors from whoever reads meanwhile. */
  readonly clones: SerialQueue;
  readonly problems: ServerProblems;
}

/** One administrator's session over a connection of the server's admin pool. */
export class AdminSession implements ServerSession {
  readonly #connection: PgConnection;
  readonly #deps: AdminSessionDeps;
  readonly #logins: OrganizationLogins | null;
  readonly #sessions: DatabaseSessions;

  constructor(deps: AdminSessionDeps) {
    this.#deps = deps;
    this.#connection = deps.connection;
    this.#logins = deps.logins;
    this.#sessions = new DatabaseSessions(deps.connection);
  }

  /** Locks a name until the session ends; false when another process works under it. */
  async lock(name: string): Promise<boolean> {
    const [row] = await this.#connection.query<{ locked: boolean }>({
      text: 'select pg_try_advisory_lock(hashtextextended($1, 0)) as locked',
      values: [name],
    });
    return row?.locked === true;
  }

  async listDatabases({ limit, after }: PageRequest<string>): Promise<Page<ListedDatabase, string>> {
    const rows = await this.#connection.query<ListedDatabase>({
      text: `${DATABASES} where datname > $1 order by datname limit $2`,
      values: [after ?? '', limit + 1],
    });
    return toPage(rows, limit, ({ name }) => name);
  }

  findDatabases(names: readonly string[]): Promise<readonly ListedDatabase[]> {
    return this.#connection.query({ text: `${DATABASES} where datname = any($1)`, values: [names] });
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

  async encodingOf(name: string): Promise<string> {
    const [row] = await this.#connection.query<{ encoding: string }>({
      text: 'select pg_encoding_to_char(encoding) as encoding from pg_database where datname = $1',
      values: [name],
    });
    return row?.encoding ?? 'UTF8';
  }

  async createEmpty(name: string): Promise<void> {
    await this.#creating('cannot_create_databases', () => createDatabase(this.#connection, name));
  }

  async clone(template: string, name: string): Promise<void> {
    try {
      await this.#deps.clones.run(() => this.#createFrom(template, name));
    } catch (error) {
      if (sqlStateOf(error) !== SqlState.invalidCatalogName) throw error;
      throw new TemplateMissingError(`there is no template "${template}"`, { cause: error });
    }
  }

  /**
   * As `clone`, of a database that is in service. Sessions at work are waited for; when all are idle they are ended (pools
   * notice), and new ones wait for the copy. Closed to everyone but the service.
   */
  async copy(source: string, name: string): Promise<void> {
    await this.#createFrom(source, name);
    await openToOwner(this.#connection, name);
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
    // Not WITH (FORCE): autovacuum at work there would refuse that to a login that is no superuser.
    try {
      await this.#connection.execute(`alter database ${identifier(name)} allow_connections false`);
    } catch (error) {
      const sqlState = sqlStateOf(error);
      if (sqlState === SqlState.invalidCatalogName) return;
      // A drop that was broken off leaves one that can only be dropped.
      if (sqlState !== SqlState.notAccepting) throw error;
    }
    await this.#sessions.whenEmpty(name, 'all', () =>
      this.#connection.execute(`drop database if exists ${identifier(name)}`),
    );
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

  /**
   * Closes a database to everyone but the service, or the one role that is its own, and opens it to those; in one
   * transaction, one flush. Whoever was in it and may be there no longer is put out.
   */
  async restrict(name: string, stamp: string): Promise<void> {
    const database = identifier(name);
    const close = closeToPublic(name);
    const open = `alter database ${database} with allow_connections true`;
    const logins = this.#logins;
    if (logins === null) await this.#connection.execute(`${close}; ${open}`);
    else
      await this.#creating('cannot_create_roles', () =>
        makeRole(this.#connection, logins, stamp, {
          before: close,
          after: (role) =>
            `grant ${identifier(logins.groupRole)} to ${role}; grant connect on database ${database} to ${role}; ${open}`,
        }),
      );
    await this.#sessions.evict(name, ({ isAdmitted }) => !isAdmitted);
  }

  /** Gives the role of a database its password anew, as `setRole` says; false when there is no such role. */
  async setPassword(stamp: string): Promise<boolean> {
    const logins = this.#logins;
    if (logins === null) return false;
    try {
      await setRole(this.#connection, logins, logins.loginFor(stamp));
      return true;
    } catch (error) {
      if (sqlStateOf(error) === SqlState.undefinedObject) return false;
      throw error;
    }
  }

  /** Undoes what the role of a database has changed of itself; see `restoreRole`. */
  async restoreRole(stamp: string, password: string | null): Promise<boolean> {
    return this.#logins !== null && restoreRole(this.#connection, this.#logins, { stamp, password });
  }

  /** See `raiseConnectionLimit`. */
  async raiseConnectionLimit(stamp: string): Promise<boolean> {
    return this.#logins !== null && raiseConnectionLimit(this.#connection, this.#logins, stamp);
  }

  /** Takes a database away from the role of an earlier stamp, and removes that role unless another database needs it. */
  async removeRole(name: string, stamp: string): Promise<void> {
    const user = this.#logins?.loginFor(stamp).user;
    if (user === undefined) return;
    const role = identifier(user);
    try {
      await this.#connection.execute(`revoke all on database ${identifier(name)} from ${role}`);
      await this.#sessions.evict(name, (occupant) => occupant.user === user);
      await this.#connection.execute(`drop role ${role}`);
    } catch (error) {
      const sqlState = sqlStateOf(error);
      if (sqlState !== SqlState.undefinedObject && sqlState !== SqlState.dependentObjectsStillExist)
        throw error;
    }
  }

  /** Those of the databases that their own role cannot use, as it is missing, may not log in or lacks rights. None without roles. */
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
             where coalesce(not (r.rolcanlogin and has_database_privilege(r.oid, d.oid, 'connect') and pg_has_role(r.oid, g.oid, 'member')), true)`,
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
    await this.#creating('cannot_create_roles', () =>
      unlessPresent(() => this.#connection.execute(`create role ${identifier(group)} nologin`)),
    );
  }

  /** Says in a database's comment whose it is. */
  async mark(name: string, comment: string): Promise<void> {
    await this.#connection.execute(`comment on database ${identifier(name)} is ${literal(comment)}`);
  }

  async stampAndRename(name: string, finalName: string, identity: string): Promise<boolean> {
    const stamp = `comment on database ${identifier(name)} is ${literal(identity)};`;
    try {
      if (name === finalName) await this.#connection.execute(`begin; ${stamp} commit`);
      else
        await this.#sessions.transactWhenEmpty(
          name,
          'idle',
          `${stamp} alter database ${identifier(name)} rename to ${identifier(finalName)};`,
        );
      return true;
    } catch (error) {
      if (this.#connection.isInTransaction) await this.#connection.execute('rollback').catch(() => undefined);
      const sqlState = sqlStateOf(error);
      if (sqlState === SqlState.invalidCatalogName || sqlState === SqlState.duplicateDatabase) return false;
      throw error;
    }
  }

  /**
   * Renames a database and forbids logins to it: both or neither. Its data stays; sessions there are ended.
   *
   * @param whole given: only if its comment is `proof`, which it then exchanges for `comment`
   */
  async seal(
    name: string,
    finalName: string,
    whole?: { readonly proof: string; readonly comment: string },
  ): Promise<void> {
    await this.#sessions.transactWhenEmpty(
      name,
      'all',
      `${whole === undefined ? '' : exchangeProof(name, whole)}
       alter database ${identifier(name)} with allow_connections false;
       alter database ${identifier(name)} rename to ${identifier(finalName)};`,
    );
  }

  /** As `seal`; nobody writes to it after the first step, nor stays there. */
  async quarantine(name: string, finalName: string): Promise<void> {
    await this.#connection.execute(`alter database ${identifier(name)} with allow_connections false`);
    await this.seal(name, finalName);
  }

  async allowConnections(name: string): Promise<void> {
    await this.#connection.execute(`alter database ${identifier(name)} with allow_connections true`);
  }

  /** Nobody connects to the copy before the caller opens it. A database of that name that is there already will do. */
  async #createFrom(source: string, name: string): Promise<void> {
    const statement = `create database ${identifier(name)} template ${identifier(source)} allow_connections false`;
    await this.#creating('cannot_create_databases', () =>
      unlessPresent(() =>
        this.#sessions.whenEmpty(source, 'idle', () => this.#connection.execute(statement)),
      ),
    );
  }

  #creating<Result>(right: Right, create: () => Promise<Result>): Promise<Result> {
    return this.#deps.problems.creating(right, this.#connection, create);
  }
}

/** Fails unless the comment is the proof: then somebody else has the database. */
const exchangeProof = (
  name: string,
  { proof, comment }: { readonly proof: string; readonly comment: string },
): string => {
  const check = `begin
    if not exists (select from pg_database d where datname = ${literal(name)}
                   and shobj_description(d.oid, 'pg_database') = ${literal(proof)}) then
      raise exception 'the database is not the one whose migrations were looked at';
    end if;
  end`;
  return `do ${literal(check)}; comment on database ${identifier(name)} is ${literal(comment)};`;
};
