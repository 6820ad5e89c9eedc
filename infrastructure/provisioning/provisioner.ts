import type { DatabaseLedger, DatabaseRecord } from '../../application/ports/databases/database-ledger.ts';
import { isHalfMade } from '../../domain/databases/results-database.ts';
import type { Deployment } from '../../application/ports/databases/deployment.ts';
import type { Logger } from '../../application/ports/runtime/logger.ts';
import {
  ADOPTED,
  type Claim,
  type ProvisioningLedger,
  type ProvisioningPath,
  type SpareDatabase,
} from '../../application/ports/databases/provisioning-ledger.ts';
import type { TemplateRecord } from '../../application/ports/databases/spare-ledger.ts';
import {
  DatabaseConnectionError,
  DatabaseProvisioningError,
  DomainError,
  OrganizationNotFoundError,
} from '../../domain/exceptions.ts';
import {
  OrganizationDatabaseNotFoundError,
  OrganizationNotReadyError,
} from '../../domain/databases/errors.ts';
import { OrganizationSuspendedError } from '../../domain/organizations/errors.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { SqlState, sqlStateOf } from '../postgres/postgres-errors.ts';
import type { ResultsUrlTemplate } from '../postgres/results-url-template.ts';
import { reasonOf } from '../../domain/reason-of.ts';
import { formatIdentity, isIdentity, readMark, stampIn } from '../../domain/databases/database-identity.ts';
import type { Placement } from '../../domain/databases/placement.ts';
import { isServerProblem, LOCKED_OUT, MISPLACED, MISSING } from './database-problems.ts';
import { newSpare } from './new-spare.ts';
import type { ResultsServer } from '../servers/results-server.ts';
import type { ResultsTemplate } from '../servers/results-template.ts';
import type { ServerSession } from '../servers/server-session.ts';

/**
 * Told of a database that is about to become the organization's: where it will be, and whether it came there. The
 * promise never rejects; false says that the placement is not to be relied on. The answer is over when the login is that
 * was begun upon this; it never rejects either.
 */
export type Announce = (placement: Placement, arrived: Promise<boolean>) => Promise<void>;

/** Says that a database is about to take its name, and whether it did. */
type Adopting = (placement: Placement, arriving: Promise<boolean>) => void;

/** Points in the making of a database; a process may die after each of them. */
export const PROVISIONING_STEPS = ['claimed', 'cloned', 'restricted', 'adopted', 'completed'] as const;
export type ProvisioningStep = (typeof PROVISIONING_STEPS)[number];

export interface ProvisionerDeps {
  readonly ledger: DatabaseLedger & ProvisioningLedger;
  readonly server: ResultsServer;
  readonly template: ResultsTemplate;
  readonly urls: ResultsUrlTemplate;
  readonly deployment: Deployment;
  readonly logger: Logger;
  /** Judges the schema version of a database that is there. @throws {OrganizationNotReadyError} */
  readonly admit: (organizationId: OrganizationId, schemaVersion: number) => Promise<void>;
  /** Called after each step; for progress, and for tests that end the process there. */
  readonly onStep: (step: ProvisioningStep, organizationId: OrganizationId) => void | Promise<void>;
  readonly onProvisioned: (path: ProvisioningPath, seconds: number) => void;
}

/**
 * Gives organizations their databases. What is to be done is written down before it is done, and every step can be
 * repeated: whoever comes next, in whichever process, finishes what another one left.
 *
 * intent in the ledger → database under a private name → stamp and final name in one transaction → `ready` in the ledger.
 * A database under an organization's name is therefore always whole, and ours only if it carries the stamp.
 */
export class Provisioner {
  readonly #deps: ProvisionerDeps;

  constructor(deps: ProvisionerDeps) {
    this.#deps = deps;
  }

  /**
   * Finds the organization's database, or makes it.
   *
   * @param create whether a database may be made that was never asked for before
   * @param announce lets a login begin while the database takes its name
   * @throws {OrganizationNotFoundError}
   * @throws {OrganizationSuspendedError}
   * @throws {OrganizationDatabaseNotFoundError}
   * @throws {OrganizationNotReadyError} while an operator puts the database aside, and outside of the schema window
   * @throws {DatabaseProvisioningError}
   */
  async ensure(organizationId: OrganizationId, create: boolean, announce?: Announce): Promise<Placement> {
    const found = await this.#deps.ledger.findForAccess(organizationId);
    if (found === null) throw new OrganizationNotFoundError();
    if (found.status === 'suspended') throw new OrganizationSuspendedError();
    const { record } = found;
    // One that was put aside is to be asked for as one that never was.
    if (!create && (record === null || record.stamp === null)) throw new OrganizationDatabaseNotFoundError();
    if (record !== null && !isHalfMade(record.state)) return this.#serve(record);
    const databaseName = this.#deps.urls.databaseNameOf(organizationId, record);
    return this.#provision(organizationId, databaseName, announce);
  }

  /**
   * As `ensure`, and looks on the server for what the ledger calls ready: for operators, who ask when something is wrong.
   * What it finds stays in the ledger. Never makes again what is missing.
   *
   * @throws {DatabaseConnectionError} when the database is missing, is another one, or lacks its role
   */
  async confirm(organizationId: OrganizationId): Promise<Placement> {
    const { server, ledger } = this.#deps;
    const placement = await this.ensure(organizationId, true);
    const { databaseName } = placement;
    const problem = await server.exclusively(databaseName, async (session) => {
      const identity = await session.identityOf(databaseName);
      if (identity === undefined) return MISSING;
      if (!isIdentity(identity, placement)) return MISPLACED;
      return (await session.lockedOut([placement])).size === 0 ? null : LOCKED_OUT;
    });
    const record = await ledger.find(organizationId);
    if (problem !== null || isServerProblem(record?.lastError ?? null))
      await ledger.noteError(organizationId, problem);
    if (problem !== null) throw new DatabaseConnectionError(problem);
    return placement;
  }

  /** For a database that is not to be made. Whether it is suspended, the organization's own status says. */
  async #serve(record: DatabaseRecord): Promise<Placement> {
    if (record.state === 'retiring')
      throw new OrganizationNotReadyError('The database of the organization is being put aside.');
    await this.#deps.admit(record.organizationId, record.schemaVersion ?? 0);
    return this.#placementOf(record);
  }

  async #provision(
    organizationId: OrganizationId,
    databaseName: string,
    announce: Announce | undefined,
  ): Promise<Placement> {
    const { template, logger } = this.#deps;
    try {
      return await this.#attempt(organizationId, databaseName, announce).catch((error: unknown) => {
        if (sqlStateOf(error) !== SqlState.invalidCatalogName) throw error;
        // The template is gone: dropped by an operator, or by a release that took it for unused. It is built again.
        template.invalidate();
        return this.#attempt(organizationId, databaseName, announce);
      });
    } catch (error) {
      if (error instanceof DomainError && !(error instanceof DatabaseProvisioningError)) throw error;
      logger.error({ err: error, org_id: organizationId, database: databaseName }, 'provisioning failed');
      await this.#deps.ledger.fail(organizationId, databaseName, reasonOf(error));
      if (error instanceof DatabaseProvisioningError) throw error;
      throw new DatabaseProvisioningError(
        'The results database of the organization could not be made.',
        error,
      );
    }
  }

  async #attempt(
    organizationId: OrganizationId,
    databaseName: string,
    announce: Announce | undefined,
  ): Promise<Placement> {
    const { server, template } = this.#deps;
    const source = await template.ready();
    return server.welcome((hold) =>
      server.exclusively(databaseName, (session) =>
        this.#provisionLocked(session, organizationId, databaseName, source, (placement, arriving) => {
          const arrived = arriving.catch(() => false);
          if (announce !== undefined) hold(announce(placement, arrived));
        }),
      ),
    );
  }

  async #provisionLocked(
    session: ServerSession,
    organizationId: OrganizationId,
    databaseName: string,
    source: TemplateRecord,
    announce: Adopting,
  ): Promise<Placement> {
    const { ledger, logger, onProvisioned } = this.#deps;
    const startedAt = performance.now();
    const claim = await ledger.claim(organizationId, databaseName, newSpare(this.#deps.urls, source));
    if (claim.spare === null) return this.#serve(claim.record);
    await this.#deps.onStep('claimed', organizationId);
    const { path, spare } = await this.#bringAbout(session, claim, source, announce);
    await this.#deps.onStep('adopted', organizationId);
    const record = await ledger.complete(organizationId, spare, path);
    await this.#deps.onStep('completed', organizationId);
    const seconds = (performance.now() - startedAt) / 1000;
    onProvisioned(path, seconds);
    logger.info(
      { org_id: organizationId, database: databaseName, path, duration_ms: Math.round(seconds * 1000) },
      'results database ready',
    );
    return this.#serve(record);
  }

  /** Makes the claimed database exist, whole and stamped, under its final name. */
  async #bringAbout(
    session: ServerSession,
    claim: Claim,
    source: TemplateRecord,
    announce: Adopting,
  ): Promise<{ path: ProvisioningPath; spare: SpareDatabase }> {
    const placement = await this.#placementOf(claim.record);
    if (claim.ready) {
      const adopting = this.#adoptSpare(session, claim.spare, placement);
      announce(placement, adopting);
      if (await adopting) return { path: 'spare', spare: claim.spare };
    }
    const { databaseName, ...identity } = placement;
    const { organizationId } = identity;
    const present = await session.identityOf(databaseName);
    const given = claim.spare.templateHash === ADOPTED;
    const path = given ? 'adoption' : 'resume';
    if (isIdentity(present, identity)) return { path, spare: claim.spare };
    // One that an operator gave may have the name already, and lack the stamp.
    if (present !== undefined && !(given && claim.spare.databaseName === databaseName)) {
      throw new DatabaseProvisioningError(
        `A database "${databaseName}" exists that this service did not make for the organization.`,
      );
    }
    const left = await session.identityOf(claim.spare.databaseName);
    if (given && left === undefined) {
      throw new DatabaseProvisioningError(`The database "${claim.spare.databaseName}" to adopt is gone.`);
    }
    const owner = readMark(left)?.deploymentId ?? null;
    if (!given && owner !== null && owner !== identity.deploymentId) {
      throw new DatabaseProvisioningError(
        `The database "${claim.spare.databaseName}" on the books belongs to another deployment.`,
      );
    }
    // One of another release was never served: this release makes its own.
    const resumed = left !== undefined && (given || claim.spare.templateHash === source.hash);
    if (left !== undefined && !resumed) await session.drop(claim.spare.databaseName);
    const spare = resumed ? claim.spare : await this.#clone(session, claim.spare, source);
    await this.#deps.onStep('cloned', organizationId);
    await session.restrict(spare.databaseName, spare.spareId);
    await this.#deps.onStep('restricted', organizationId);
    const former = given ? stampIn(left ?? null) : null;
    if (former !== null && former !== spare.spareId) await session.removeRole(spare.databaseName, former);
    const adopting = session.adopt(spare.databaseName, databaseName, formatIdentity(identity));
    announce(
      placement,
      adopting.then(() => true),
    );
    await adopting;
    return { path: resumed ? path : 'clone', spare };
  }

  /** A claim left by an older release is cloned from today's template, and the ledger knows before it happens. */
  async #clone(session: ServerSession, spare: SpareDatabase, source: TemplateRecord): Promise<SpareDatabase> {
    const rebased = { ...spare, templateHash: source.hash, schemaVersion: source.schemaVersion };
    if (spare.templateHash !== source.hash) await this.#deps.ledger.rebase(rebased);
    await session.clone(source.databaseName, spare.databaseName);
    return rebased;
  }

  /** The quick way; when anything is not as the ledger says, the slow way finds out. */
  async #adoptSpare(session: ServerSession, spare: SpareDatabase, placement: Placement): Promise<boolean> {
    try {
      await session.adopt(spare.databaseName, placement.databaseName, formatIdentity(placement));
      return true;
    } catch (error) {
      const sqlState = sqlStateOf(error);
      if (sqlState === SqlState.invalidCatalogName || sqlState === SqlState.duplicateDatabase) return false;
      throw error;
    }
  }

  async #placementOf({
    organizationId,
    stamp,
    generation,
    databaseName,
  }: DatabaseRecord): Promise<Placement> {
    if (stamp === null) throw new Error(`the ledger has no stamp for the database of ${organizationId}`);
    const deploymentId = await this.#deps.deployment.id();
    return { deploymentId, organizationId, stamp, generation, databaseName };
  }
}
