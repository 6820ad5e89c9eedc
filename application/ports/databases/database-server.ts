import type { DatabaseNames } from '../../../domain/databases/database-names.ts';
import type { Placement } from '../../../domain/databases/placement.ts';
import type { ServerId, ServerProblem } from '../../../domain/databases/server.ts';
import type { DatabaseConnectionError } from '../../../domain/exceptions.ts';
import type { DatabaseTemplate } from './database-template.ts';
import type { ServerSession } from './server-session.ts';

/** One PostgreSQL server that holds results databases, as its administrator sees it. */
export interface DatabaseServer {
  readonly serverId: ServerId;
  readonly names: DatabaseNames;
  readonly template: DatabaseTemplate;
  /** Whether databases have roles of their own. */
  readonly hasRoles: boolean;
  /** Most connections to results databases there, of all processes together. */
  readonly connectionBudget: number;
  /** False while the server counts as away: what needs it would fail. */
  readonly isAvailable: boolean;
  /** What is wrong with it, although it answers. */
  readonly problems: { readonly current: readonly ServerProblem[] };
  /** Why no database can be made there now; null when one may be tried. It tells when a try makes sense again. */
  readonly refusal: DatabaseConnectionError | null;
  /** Connections to results databases there, of this process. */
  readonly connections: { readonly open: number; readonly share: number; readonly waiting: number };
  /** Whether requests wait for an administrator's session. Background work then yields. */
  readonly isBusy: boolean;
  /**
   * Runs `work` while no other process does anything under this name, and waits for that. The result is there before
   * the session is clean again and the name is free. A caller that waits holds no session: a few names that are worked
   * on for long cannot keep all others waiting.
   *
   * @throws {OrganizationNotReadyError} when another process works under the name for longer than `deadlineMs`
   */
  exclusively<Result>(
    name: string,
    work: (session: ServerSession) => Promise<Result>,
    deadlineMs?: number,
  ): Promise<Result>;
  /** As `exclusively`, but returns false at once when another process works under the name. */
  attempt(name: string, work: (session: ServerSession) => Promise<void>): Promise<boolean>;
  /**
   * Runs work for a new organization after that of earlier ones. Many at once would take the processors from running
   * requests, and the first of them would be served as late as the last. Work that takes long does not hold up the next.
   */
  welcome<Result>(work: () => Promise<Result>): Promise<Result>;
  /** Brings a database to this release's newest schema; returns the schema version. */
  migrate(databaseName: string): Promise<number>;
  /**
   * Makes sure that a database has the first `schemaVersion` migrations, by its own history. A copy of a template that
   * was not whole would be served without tables for ever. It is also the first session there, which writes a cache file
   * that later logins read.
   *
   * @throws {MigrationsMissingError}
   */
  proveSchema(databaseName: string, schemaVersion: number): Promise<void>;
}

/** All servers that this process knows how to reach. */
export interface DatabaseServers {
  /** @throws {DatabaseConnectionError} when the configuration does not name the server */
  of(serverId: Placement['serverId']): DatabaseServer;
  /** In the order of the configuration, the default one first. */
  list(): readonly DatabaseServer[];
}
