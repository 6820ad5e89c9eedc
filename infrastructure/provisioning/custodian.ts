import { createHash, randomUUID } from 'node:crypto';
import type { DatabaseLedger, DatabaseRecord } from '../../application/ports/databases/database-ledger.ts';
import type { AdoptedDatabase } from '../../application/ports/databases/database-upkeep.ts';
import type { Deployment } from '../../application/ports/databases/deployment.ts';
import { ADOPTED, type ProvisioningLedger } from '../../application/ports/databases/provisioning-ledger.ts';
import { DatabaseProvisioningError, OrganizationNotFoundError } from '../../domain/exceptions.ts';
import { OrganizationDatabaseNotFoundError } from '../../domain/databases/errors.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { SERVER_DATABASES, type ResultsUrlTemplate } from '../postgres/results-url-template.ts';
import type { MigrationSource } from '../migrations/migration-source.ts';
import { Migrator } from '../migrations/migrator.ts';
import {
  formatIdentity,
  isIdentity,
  readMark,
  stampIn,
  type DatabaseMark,
} from '../../domain/databases/database-identity.ts';
import { quarantineName, readInternalName } from '../servers/internal-names.ts';
import type { ResultsServer } from '../servers/results-server.ts';
import type { ResultsTemplate } from '../servers/results-template.ts';
import type { ServerSession } from '../servers/server-session.ts';

export interface CustodianDeps {
  readonly ledger: DatabaseLedger & ProvisioningLedger;
  readonly server: ResultsServer;
  readonly template: ResultsTemplate;
  readonly urls: ResultsUrlTemplate;
  /** Of the results databases. */
  readonly migrations: MigrationSource;
  readonly deployment: Deployment;
  /** No organization's, wherever it is. */
  readonly metadataDatabaseName: string;
}

/** What an operator may do with an organization's database by hand. Every command may be repeated after a crash. */
export class Custodian {
  readonly #deps: CustodianDeps;

  constructor(deps: CustodianDeps) {
    this.#deps = deps;
  }

  /**
   * Makes a database that this service did not make, or put aside, the organization's: brings its schema up to date,
   * stamps it, and gives it the organization's name. Earlier pools do not recognize it: its generation is new. What an
   * attempt leaves undone is finished by the next one, or by the organization's next request.
   *
   * @param from its present name; the organization's by default
   * @param takeOver also when it is another deployment's, whose metadata database is lost
   * @throws {OrganizationNotFoundError}
   * @throws {OrganizationDatabaseNotFoundError} when there is no database of that name
   * @throws {DatabaseProvisioningError} when the organization has another database already, and when this one says that it
   * is another organization's or deployment's, or is no organization's: the metadata, a spare, a template, the server's
   */
  async adopt(organizationId: OrganizationId, from?: string, takeOver = false): Promise<AdoptedDatabase> {
    const { ledger, server, template, urls, migrations } = this.#deps;
    const found = await ledger.findForAccess(organizationId);
    if (found === null) throw new OrganizationNotFoundError();
    const databaseName = urls.databaseNameOf(organizationId, found.record);
    const source = from ?? databaseName;
    const reason = this.#whyNotByName(source, organizationId);
    if (reason !== null) throw refusal(source, reason);
    await template.ready();
    return server.exclusively(databaseName, async (session) => {
      const comment = await session.identityOf(source);
      const record = await ledger.find(organizationId);
      if (comment === undefined) {
        // An adoption that ended between its last two steps: renamed, and not completed.
        if (record === null || !(await this.#finishAdoption(session, record)))
          throw new OrganizationDatabaseNotFoundError();
        return { databaseName, formerly: null };
      }
      const mark = readMark(comment);
      if (mark !== null && mark.organizationId === null) throw refusal(source, 'is a spare or a template');
      assertNotOf(mark, organizationId, source);
      if (!takeOver) await this.#assertNotAnothers(source, comment, null);
      if (source !== databaseName && (await session.exists(databaseName))) {
        throw new DatabaseProvisioningError('The organization has a database; retire that one first.');
      }
      await session.allowConnections(source);
      const { schemaVersion } = await new Migrator(migrations).latest(urls.urlForDatabase(source));
      await template.grantRows(source);
      const deploymentId = await this.#deps.deployment.id();
      const adoption = { databaseName, from: source, stamp: randomUUID(), schemaVersion };
      // From here on it is the provisioner that finishes it, if this process does not.
      const { record: adopted, spare } = await ledger.recordAdoption(organizationId, adoption);
      await session.restrict(source, adopted.stamp);
      // While the database still says whose it was: a repetition after a crash has to find the role, too.
      const earlier = stampIn(comment);
      if (earlier !== null && earlier !== adopted.stamp) await session.removeRole(source, earlier);
      await session.adopt(source, databaseName, formatIdentity({ ...adopted, deploymentId }));
      await ledger.complete(organizationId, spare, 'adoption');
      return { databaseName, formerly: mark?.organizationId ?? null };
    });
  }

  /**
   * Puts the organization's database aside, with its data, under a name that nothing serves. The next access makes an
   * empty one of the next generation. Returns the name it was put aside under; null when it was gone already. What an
   * attempt leaves undone is finished by the next one, or by a reconciliation.
   *
   * @throws {OrganizationDatabaseNotFoundError}
   * @throws {DatabaseProvisioningError} when what has its name is another organization's or deployment's
   */
  retire(organizationId: OrganizationId): Promise<string | null> {
    return this.#exclusively(organizationId, async (session, databaseName) => {
      const record = await this.#deps.ledger.find(organizationId);
      if (record === null) throw new OrganizationDatabaseNotFoundError();
      return this.#putAside(session, record, databaseName);
    });
  }

  /** Ends a retirement that an attempt left half way; returns whether there was one. @throws as `retire` does */
  finishRetirement(organizationId: OrganizationId): Promise<boolean> {
    return this.#exclusively(organizationId, async (session, databaseName) => {
      const record = await this.#deps.ledger.find(organizationId);
      if (record?.state !== 'retiring') return false;
      await this.#putAside(session, record, databaseName);
      return true;
    });
  }

  async #putAside(
    session: ServerSession,
    record: DatabaseRecord,
    databaseName: string,
  ): Promise<string | null> {
    const { ledger, urls } = this.#deps;
    const { organizationId, stamp, generation } = record;
    const comment = await session.identityOf(databaseName);
    assertNotOf(readMark(comment), organizationId, databaseName);
    await this.#assertNotAnothers(databaseName, comment, record);
    // The same at each attempt: whoever goes on with this finds what was put aside already.
    const aside = quarantineName(urls, 'retired', stamp ?? digest(`${organizationId} ${generation}`));
    await ledger.beginRetirement(organizationId);
    if (comment !== undefined) await session.quarantine(databaseName, aside);
    const renamedTo = (await session.exists(aside)) ? aside : null;
    await ledger.completeRetirement(organizationId, renamedTo);
    return renamedTo;
  }

  /** With the organization's database for itself, under the name that it has. */
  async #exclusively<Result>(
    organizationId: OrganizationId,
    work: (session: ServerSession, databaseName: string) => Promise<Result>,
  ): Promise<Result> {
    const { ledger, server, urls } = this.#deps;
    const databaseName = urls.databaseNameOf(organizationId, await ledger.find(organizationId));
    return server.exclusively(databaseName, (session) => work(session, databaseName));
  }

  async #finishAdoption(session: ServerSession, record: DatabaseRecord): Promise<boolean> {
    const { organizationId, databaseName, state, stamp, schemaVersion } = record;
    if ((state !== 'provisioning' && state !== 'failed') || stamp === null || schemaVersion === null)
      return false;
    const deploymentId = await this.#deps.deployment.id();
    if (!isIdentity(await session.identityOf(databaseName), { ...record, stamp, deploymentId })) return false;
    const spare = { spareId: stamp, databaseName, templateHash: ADOPTED, schemaVersion };
    await this.#deps.ledger.complete(organizationId, spare, 'adoption');
    return true;
  }

  #whyNotByName(source: string, organizationId: OrganizationId): string | null {
    const { urls, metadataDatabaseName } = this.#deps;
    const owner = urls.organizationIdOf(source);
    if (owner !== null && owner !== organizationId) return `has the name of the organization "${owner}"`;
    if (source === metadataDatabaseName) return 'has the name of the metadata database';
    if (SERVER_DATABASES.includes(source)) return "is the server's own";
    const kind = readInternalName(urls, source)?.kind;
    return kind === undefined || kind === 'orphan' || kind === 'retired'
      ? null
      : `has the name of a ${kind} of the service's own`;
  }

  /**
   * What earlier releases stamped says nothing of its deployment: it may be taken, but is put aside only when it is the
   * recorded one.
   */
  async #assertNotAnothers(
    database: string,
    comment: string | null | undefined,
    toPutAside: DatabaseRecord | null,
  ): Promise<void> {
    const mark = readMark(comment);
    const deploymentId = await this.#deps.deployment.id();
    if (mark === null || mark.deploymentId === deploymentId) return;
    if (mark.deploymentId === null) {
      const stamp = toPutAside?.stamp ?? null;
      if (toPutAside === null || stamp === null) return;
      if (isIdentity(comment, { ...toPutAside, stamp, deploymentId })) return;
    }
    throw refusal(database, `belongs to another deployment of this service: it is marked "${comment}"`);
  }
}

const assertNotOf = (mark: DatabaseMark | null, organizationId: OrganizationId, database: string): void => {
  const owner = mark?.organizationId ?? organizationId;
  if (owner !== organizationId) throw refusal(database, `is the database of the organization "${owner}"`);
};

const digest = (text: string): string => createHash('sha256').update(text).digest('hex');

const refusal = (database: string, why: string): DatabaseProvisioningError =>
  new DatabaseProvisioningError(`The database "${database}" ${why}.`);
