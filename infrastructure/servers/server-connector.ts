import type { Logger } from '../../application/ports/runtime/logger.ts';
import { formatIdentity, isIdentity } from '../../domain/databases/database-identity.ts';
import type { Placement } from '../../domain/databases/placement.ts';
import { DatabaseConnectionError } from '../../domain/exceptions.ts';
import { reasonsOf } from '../../domain/reason-of.ts';
import type { OrganizationPolicy } from '../../domain/organizations/organization-policy.ts';
import { ConnectionName, presenceName, resultsConnectionName } from '../postgres/connection-names.ts';
import type { DatabaseUrl } from '../postgres/database-url.ts';
import type { ConnectionOptions, Deadlines, StatementObserver } from '../postgres/connection-options.ts';
import { PgConnection, type SurveyedServer } from '../postgres/pg-connection.ts';
import { RoleLimits } from './role-limits.ts';
import { isRoleFull, RoleFullError, SqlState, sqlStateOf } from '../postgres/postgres-errors.ts';
import type { ResultsUrlTemplate } from '../postgres/results-url-template.ts';
import type { OpenSessions } from './open-sessions.ts';
import type { OrganizationLogins } from './organization-logins.ts';

export interface ServerConnectorOptions {
  readonly urls: ResultsUrlTemplate;
  /** Null: all databases are used with the login of the service. */
  readonly logins: OrganizationLogins | null;
  readonly connectTimeoutMs: number;
  /** For the requests of clients; an organization may have others. */
  readonly deadlines: Deadlines;
  /** This process, by which the others know its connections. */
  readonly instanceId: string;
  /** Of administrators' sessions. */
  readonly adminStatements: StatementObserver | null;
  /** Knows each connection until it ends. */
  readonly sessions: OpenSessions;
  /** Why nothing of the server may be used; null when it may. */
  readonly refusal: () => Error | null;
  /**
   * Undoes what a role has changed of itself; false when it is not this process's to change.
   *
   * @param password with which a login went well; null when none did
   */
  readonly restoreRole: (stamp: string, password: string | null) => Promise<boolean>;
  /** Raises the connection limit of a role to today's configuration; false when it has that. */
  readonly raiseConnectionLimit: (stamp: string) => Promise<boolean>;
  /** Told of every error that the server sends on a connection. */
  readonly onServerError: (error: unknown) => void;
  readonly logger: Logger;
}

/** Raised when the database under the recorded name is another than the one recorded, or does not know its role. */
export class MisplacedDatabaseError extends DatabaseConnectionError {}

/** Raised when the role of an organization has settings for its sessions, and did not lose them. */
class AlteredRoleError extends MisplacedDatabaseError {
  /** With which it logged in. */
  readonly password: string;

  constructor(password: string) {
    super("The settings of the organization's role are not the service's.");
    this.password = password;
  }
}

/** For creating, cloning and migrating databases, which may take longer than a request. */
const ADMIN_DEADLINES: Deadlines = {
  statementTimeoutMs: 120_000,
  lockTimeoutMs: 120_000,
  idleInTransactionTimeoutMs: 120_000,
};

/** The password is another, the role is none that may log in, or it has no business in this database. */
const REFUSED: ReadonlySet<string | null> = new Set([
  SqlState.invalidPassword,
  SqlState.invalidAuthorization,
  SqlState.insufficientPrivilege,
]);

/**
 * What a role can bring about by its own password and settings: it cannot log in, is logged out at once, or (behind a pooler,
 * where sessions begin with the role's own settings) has no time to say where it is.
 */
const BY_ITSELF: ReadonlySet<string | null> = new Set([
  SqlState.invalidPassword,
  SqlState.undefinedFile,
  SqlState.idleSessionTimeout,
  SqlState.queryCanceled,
  SqlState.transactionTimeout,
]);

/** Opens connections to one server of results databases, each under a name that tells operators what it is for. */
export class ServerConnector {
  readonly #options: ServerConnectorOptions;
  readonly #limits: RoleLimits;

  constructor(options: ServerConnectorOptions) {
    this.#options = options;
    this.#limits = new RoleLimits(options.raiseConnectionLimit);
  }

  /** As the owner of the results databases, outside the budget; to the server's `postgres` database by default. */
  async toServer(databaseName?: string): Promise<PgConnection> {
    this.#assertUsable();
    const { urls, connectTimeoutMs, adminStatements: observer } = this.#options;
    return this.#known(
      await PgConnection.open({
        url: databaseName === undefined ? urls.adminUrl : urls.ownerUrlFor(databaseName),
        applicationName: ConnectionName.admin,
        connectTimeoutMs,
        deadlines: ADMIN_DEADLINES,
        observer,
      }),
    );
  }

  /** See `PgConnection.survey`. */
  survey(): Promise<readonly SurveyedServer[]> {
    const { urls, connectTimeoutMs } = this.#options;
    return PgConnection.survey({
      url: urls.adminUrl,
      applicationName: ConnectionName.survey,
      connectTimeoutMs,
    });
  }

  /** The one by which the other processes of the deployment see that this one lives. */
  toPresence(): Promise<PgConnection> {
    const { urls, instanceId, deadlines } = this.#options;
    return this.#open(urls.adminUrl, presenceName(instanceId), deadlines);
  }

  /**
   * As the organization's own role, if there is one. The database has to carry the stamp of the ledger: a connection to
   * any other, whatever its name, is closed before anyone can use it. The question for it has as long as the login had.
   *
   * A role can change its own password and settings. They are set right once, and the login is tried again.
   *
   * @param named begins the login at once, and ends it when the database has its name
   * @throws {MisplacedDatabaseError}
   */
  async toOrganization(
    placement: Placement,
    policy: OrganizationPolicy = {},
    named?: Promise<void>,
  ): Promise<PgConnection> {
    this.#assertUsable();
    const deadlines = { ...this.#options.deadlines, ...policy };
    try {
      return await this.#arrive(placement, deadlines, named);
    } catch (error) {
      const isMended =
        (await this.#restored(placement, error)) ||
        (error instanceof RoleFullError && (await this.#limits.hasRoom(placement.stamp)));
      if (!isMended) throw error;
      return this.#arrive(placement, deadlines, named);
    }
  }

  async #arrive(
    placement: Placement,
    deadlines: Deadlines,
    named: Promise<void> | undefined,
  ): Promise<PgConnection> {
    const { connection, password } = await this.#logIn(placement, deadlines, named);
    if (password !== null && connection.roleHasSettings) {
      await connection.close();
      throw new AlteredRoleError(password);
    }
    if (isIdentity(connection.identity, placement)) return connection;
    await connection.close();
    this.#options.logger.write('database.misplaced', {
      org_id: placement.organizationId,
      server: placement.serverId,
      database: placement.databaseName,
      expected: formatIdentity(placement),
      found: connection.identity,
    });
    throw new MisplacedDatabaseError('The results database is not the one on record.');
  }

  /** Whether a login may go well now that failed by what its role has changed of itself. */
  async #restored({ organizationId, serverId, stamp }: Placement, error: unknown): Promise<boolean> {
    const { logins, restoreRole, logger } = this.#options;
    const cause = error instanceof MisplacedDatabaseError ? error.cause : error;
    const password = error instanceof AlteredRoleError ? error.password : null;
    if (logins === null || (password === null && !BY_ITSELF.has(sqlStateOf(cause)))) return false;
    const restored = await restoreRole(stamp, password).catch((failure: unknown) => {
      logger.write('role.restoration_failed', { err: failure, org_id: organizationId, server: serverId });
      return false;
    });
    // No `err`: in an outage those are counted, and this is none.
    if (restored)
      logger.write('role.restored', { reason: reasonsOf(error), org_id: organizationId, server: serverId });
    return restored;
  }

  async #logIn(
    { databaseName, stamp }: Placement,
    deadlines: Deadlines,
    named: Promise<void> | undefined,
  ): Promise<{ readonly connection: PgConnection; readonly password: string | null }> {
    const { urls, logins } = this.#options;
    const url = urls.urlForDatabase(databaseName);
    const [first, ...others] = logins?.loginsFor(stamp) ?? [];
    if (first === undefined)
      return { connection: await this.#openNamed(url, deadlines, named), password: null };
    // A rotation between two refusals makes right what was refused at first.
    const tries = others.length === 0 ? [first] : [first, ...others, first];
    let refusal: unknown;
    for (const { user, password } of tries) {
      try {
        const connection = await this.#openNamed(url.withCredentials(user, password), deadlines, named);
        return { connection, password };
      } catch (error) {
        if (isRoleFull(error)) throw new RoleFullError(error);
        if (!REFUSED.has(sqlStateOf(error))) throw error;
        refusal = error;
      }
    }
    throw new MisplacedDatabaseError("The results database refuses its organization's role.", refusal);
  }

  async #openNamed(
    url: DatabaseUrl,
    deadlines: Deadlines,
    named: Promise<void> | undefined,
  ): Promise<PgConnection> {
    const name = resultsConnectionName(this.#options.instanceId);
    const throughPooler = this.#options.urls.isPooled;
    if (named === undefined) return this.#open(url, name, deadlines, { throughPooler });
    if (throughPooler) {
      // A pooler asks for no password, or asks the server at once, and refuses a database for a while that it did not find.
      await named;
      return this.#open(url, name, deadlines, { throughPooler });
    }
    let isPending = true;
    const settled = named.finally(() => {
      isPending = false;
    });
    settled.catch(() => undefined);
    try {
      return await this.#open(url, name, deadlines, { loginAfter: settled });
    } catch (error) {
      // The rename took longer than a login may; or the server asks for no password, and so the login did not wait.
      if (!isPending && sqlStateOf(error) !== SqlState.invalidCatalogName) throw error;
      await named;
      return this.#open(url, name, deadlines);
    }
  }

  #assertUsable(): void {
    const refusal = this.#options.refusal();
    if (refusal !== null) throw refusal;
  }

  async #open(
    url: DatabaseUrl,
    applicationName: string,
    deadlines: Deadlines,
    login: Pick<ConnectionOptions, 'loginAfter' | 'throughPooler'> = {},
  ): Promise<PgConnection> {
    const { connectTimeoutMs } = this.#options;
    return this.#known(
      await PgConnection.open({ url, applicationName, connectTimeoutMs, deadlines, ...login }),
    );
  }

  #known(connection: PgConnection): PgConnection {
    connection.onEnd(this.#options.sessions.add(connection));
    connection.onServerError(this.#options.onServerError);
    return connection;
  }
}
