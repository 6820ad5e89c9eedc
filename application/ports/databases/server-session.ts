import type { Page, PageRequest } from '../../../domain/page.ts';

/** A database on a server, and what its comment says. */
export interface ListedDatabase {
  readonly name: string;
  /** The stamp, or other text; null for none. */
  readonly identity: string | null;
}

/** One administrator's session on a server. Its locks end with it. Every act may be repeated. */
export interface ServerSession {
  /** In the order of their names. */
  listDatabases(page: PageRequest<string>): Promise<Page<ListedDatabase, string>>;
  /** Those of these names that there are, in no order. */
  findDatabases(names: readonly string[]): Promise<readonly ListedDatabase[]>;
  exists(name: string): Promise<boolean>;
  /** The stamp that a database carries: null for none, undefined when there is no such database. */
  identityOf(name: string): Promise<string | null | undefined>;
  /** As PostgreSQL names it, such as `UTF8`. */
  encodingOf(name: string): Promise<string>;
  /**
   * Copies a database that nobody uses. The copy takes no connections until `restrict` opens it. When there is a database
   * of that name already, it stays as it is: the caller has to look whose it is.
   *
   * @throws {TemplateMissingError} when there is no such template
   */
  clone(template: string, name: string): Promise<void>;
  /** Only for databases that hold nobody's data, or a copy of it. */
  drop(name: string): Promise<void>;
  /** As `drop`, with the role that the spare was given. */
  dropSpare(name: string, spareId: string): Promise<void>;
  /** Closes a database to everybody but the service and the one role that belongs to it, and opens it to those. */
  restrict(name: string, stamp: string): Promise<void>;
  /** Gives the role of a database its password and its limits anew; false when there is no such role. */
  setPassword(stamp: string): Promise<boolean>;
  /** Takes a database away from the role of an earlier stamp. Removes that role unless another database needs it. */
  removeRole(name: string, stamp: string): Promise<void>;
  /** Those of the databases that their own role cannot use, as it is missing or lacks rights. None without roles. */
  withoutRoleAccess(
    databases: readonly { readonly databaseName: string; readonly stamp: string }[],
  ): Promise<ReadonlySet<string>>;
  createGroupRole(): Promise<void>;
  /** Says in a database's comment whose it is. */
  mark(name: string, comment: string): Promise<void>;
  /**
   * Stamps a database and gives it its final name: both or neither.
   *
   * @returns false when there is no such database, or another one has the final name
   */
  stampAndRename(name: string, finalName: string, identity: string): Promise<boolean>;
  /** Renames a database, shuts everybody out and ends the sessions that are open there. Its data stays. */
  quarantine(name: string, finalName: string): Promise<void>;
  allowConnections(name: string): Promise<void>;
}
