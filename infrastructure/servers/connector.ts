import type { Logger } from '../../application/ports/runtime/logger.ts';
import type { OrganizationPolicy } from '../../domain/organizations/organization-policy.ts';
import { DatabaseConnectionError } from '../../domain/exceptions.ts';
import { formatIdentity, isIdentity } from '../../domain/databases/database-identity.ts';
import type { Placement } from '../../domain/databases/placement.ts';
import type { OrganizationLogins } from './organization-logins.ts';
import { withDeadline } from '../timing/with-deadline.ts';
import { ConnectionName, presenceName, resultsConnectionName } from '../postgres/connection-names.ts';
import type { DatabaseUrl } from '../postgres/database-url.ts';
import { PgConnection, type Deadlines } from '../postgres/pg-connection.ts';
import { SqlState, sqlStateOf } from '../postgres/postgres-errors.ts';
import { READ_IDENTITY } from '../postgres/stamp-sql.ts';
import type { ResultsUrlTemplate } from '../postgres/results-url-template.ts';

export interface ConnectorOptions {
  readonly metadataUrl: DatabaseUrl;
  readonly connectTimeoutMs: number;
  /** For the requests of clients; an organization may have others. */
  readonly deadlines: Deadlines;
  /** This process, by which the others know its connections. */
  readonly instanceId: string;
}

/** Raised when the database under the recorded name is another than the one recorded, or does not know its role. */
export class MisplacedDatabaseError extends DatabaseConnectionError {}

/** For creating, cloning and migrating databases, which may take longer than a request. */
const ADMIN_DEADLINES: Deadlines = {
  statementTimeoutMs: 120_000,
  lockTimeoutMs: 120_000,
  idleInTransactionTimeoutMs: 120_000,
};

/** Opens the service's server connections, each under a name that tells operators what it is for. */
export class Connector {
  readonly #options: ConnectorOptions;
  readonly #urls: ResultsUrlTemplate;
  readonly #logins: OrganizationLogins | null;
  readonly #logger: Logger;

  constructor(
    options: ConnectorOptions,
    urls: ResultsUrlTemplate,
    logins: OrganizationLogins | null,
    logger: Logger,
  ) {
    this.#options = options;
    this.#urls = urls;
    this.#logins = logins;
    this.#logger = logger;
  }

  toMetadata(): Promise<PgConnection> {
    return this.#open(this.#options.metadataUrl, ConnectionName.metadata, this.#options.deadlines);
  }

  /** For the feed of changes alone. */
  toChanges(): Promise<PgConnection> {
    return this.#open(this.#options.metadataUrl, ConnectionName.changes, this.#options.deadlines);
  }

  /** As the owner of the results databases; outside the budget. */
  toResultsServer(databaseName?: string): Promise<PgConnection> {
    const url = databaseName === undefined ? this.#urls.adminUrl : this.#urls.urlForDatabase(databaseName);
    return this.#open(url, ConnectionName.admin, ADMIN_DEADLINES);
  }

  /** The one by which the other processes of the deployment see that this one lives. */
  toPresence(): Promise<PgConnection> {
    const { instanceId, deadlines } = this.#options;
    return this.#open(this.#urls.adminUrl, presenceName(instanceId), deadlines);
  }

  /**
   * As the organization's own role, if there is one. The database has to carry the stamp of the ledger: a connection to
   * any other, whatever its name, is closed before anyone can use it. The question for it has as long as the login had.
   *
   * @param arrived begins the login, and ends it when the database has its name
   */
  async toOrganization(
    placement: Placement,
    policy: OrganizationPolicy = {},
    arrived?: Promise<boolean>,
  ): Promise<PgConnection> {
    const connection = await this.#logIn(placement, { ...this.#options.deadlines, ...policy }, arrived);
    try {
      const [row] = await withDeadline(
        connection.query<{ identity: string | null }>({ text: READ_IDENTITY, values: [] }),
        this.#options.connectTimeoutMs,
      );
      if (isIdentity(row?.identity, placement)) return connection;
      this.#logger.error(
        {
          org_id: placement.organizationId,
          database: placement.databaseName,
          expected: formatIdentity(placement),
          found: row?.identity ?? null,
        },
        'a results database carries another stamp than the ledger; it is not served',
      );
      throw new MisplacedDatabaseError('The results database is not the one on record.');
    } catch (error) {
      await connection.close();
      throw error;
    }
  }

  async #logIn(
    { databaseName, stamp }: Placement,
    deadlines: Deadlines,
    arrived: Promise<boolean> | undefined,
  ): Promise<PgConnection> {
    const url = this.#urls.urlForDatabase(databaseName);
    const name = resultsConnectionName(this.#options.instanceId);
    const open = async (as: DatabaseUrl): Promise<PgConnection> => {
      if (arrived === undefined) return this.#open(as, name, deadlines);
      let pending = true;
      void arrived.then(() => {
        pending = false;
      });
      try {
        return await this.#open(as, name, deadlines, arrived);
      } catch (error) {
        // The rename took longer than a login may, which is nobody's fault; or the server asks for no password and did
        // not wait.
        if (!pending && sqlStateOf(error) !== SqlState.invalidCatalogName) throw error;
        if (!(await arrived)) throw new MisplacedDatabaseError('The database was not to be had.', error);
        return this.#open(as, name, deadlines);
      }
    };
    const [first, ...others] = this.#logins?.loginsFor(stamp) ?? [];
    if (first === undefined) return open(url);
    // A rotation between two refusals makes right what was refused at first.
    const logins = others.length === 0 ? [first] : [first, ...others, first];
    let refusal: unknown;
    for (const { user, password } of logins) {
      try {
        return await open(url.withCredentials(user, password));
      } catch (error) {
        if (!REFUSED.has(sqlStateOf(error))) throw error;
        refusal = error;
      }
    }
    throw new MisplacedDatabaseError("The results database refuses its organization's role.", refusal);
  }

  #open(
    url: DatabaseUrl,
    applicationName: string,
    deadlines: Deadlines,
    loginAfter?: Promise<unknown>,
  ): Promise<PgConnection> {
    const { connectTimeoutMs } = this.#options;
    return PgConnection.open({ url, applicationName, connectTimeoutMs, deadlines, loginAfter });
  }
}

/** The password is another, the role is none that may log in, or it has no business in this database. */
const REFUSED: ReadonlySet<string | null> = new Set([
  SqlState.invalidPassword,
  SqlState.invalidAuthorization,
  SqlState.insufficientPrivilege,
]);
