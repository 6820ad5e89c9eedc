import { isHalfMade } from '../../domain/databases/results-database.ts';
import { OrganizationNotReadyError } from '../../domain/databases/errors.ts';
import { formatIdentity, isIdentity, readMark, stampIn } from '../../domain/databases/database-identity.ts';
import type { Placement } from '../../domain/databases/placement.ts';
import { DatabaseProvisioningError, DomainError } from '../../domain/exceptions.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { reasonOf } from '../../domain/reason-of.ts';
import { type DatabaseLedger, type DatabaseRecord } from '../ports/databases/database-ledger.ts';
import type { DatabaseServer, DatabaseServers } from '../ports/databases/database-server.ts';
import { MigrationsMissingError, TemplateMissingError } from '../ports/databases/database-template.ts';
import type { Deployment } from '../ports/databases/deployment.ts';
import {
  ADOPTED,
  type Claim,
  type ProvisioningLedger,
  type ProvisioningPath,
  type SpareDatabase,
} from '../ports/databases/provisioning-ledger.ts';
import type { ServerSession } from '../ports/databases/server-session.ts';
import type { TemplateRecord } from '../ports/databases/spare-ledger.ts';
import type { Logger } from '../ports/runtime/logger.ts';
import { placementOf } from './placement-of.ts';

/** Points in the making of a database; a process may die after each of them. */
export const PROVISIONING_STEPS = ['claimed', 'cloned', 'restricted', 'named', 'completed'] as const;
export type ProvisioningStep = (typeof PROVISIONING_STEPS)[number];

export interface MakingPorts {
  readonly ledger: DatabaseLedger & ProvisioningLedger;
  readonly servers: DatabaseServers;
  readonly deployment: Deployment;
  /** Makes a UUID. */
  readonly newId: () => string;
  readonly logger: Logger;
  /** Called after each step; for progress, and for tests that end the process there. */
  readonly onStep: (step: ProvisioningStep, organizationId: OrganizationId) => void | Promise<void>;
  readonly onProvisioned: (path: ProvisioningPath, seconds: number, serverId: Placement['serverId']) => void;
}

/** A database that is about to take its name. */
export interface Making {
  /** Resolves when the database has its name: a login finds it. Rejects when it did not come there. */
  readonly named: Promise<void>;
  /** Resolves when the ledger knows the database as ready. Nobody may be served before. */
  readonly ready: Promise<DatabaseRecord>;
}

interface Made {
  readonly path: ProvisioningPath;
  readonly spare: SpareDatabase;
}

/** Told how far a database is. Each may be called again, by a second attempt. */
interface Progress {
  /** A login can begin: the database has its name soon. */
  readonly isAboutToBeNamed: () => void;
  readonly isNamed: () => void;
}

/**
 * Makes a claimed database exist, whole and stamped, under its final name, and writes that down. Resolves when the
 * database is about to take its name, so that a login can begin meanwhile: at once for a spare that stands ready. Another
 * process may be at the same claim.
 *
 * @throws {DatabaseProvisioningError} the reason stays in the ledger, and the next request tries again
 */
export const makeDatabase = (ports: MakingPorts, claim: Claim): Promise<Making> =>
  new Promise((resolve, reject) => {
    let isNamed: (() => void) | undefined;
    const naming = new Promise<void>((settle) => {
      isNamed = settle;
    });
    const isAboutToBeNamed = (): void => resolve({ named, ready });
    const ready = recordingFailure(ports, claim.record, () =>
      makeFromTemplate(ports, claim, { isAboutToBeNamed, isNamed: () => isNamed?.() }),
    );
    // An earlier attempt, or another process, may have named it.
    const named = Promise.race([naming, ready.then(() => undefined)]);
    // A failure is told by `ready`, too: nobody need listen to both.
    named.catch(() => undefined);
    if (claim.ready) isAboutToBeNamed();
    ready.then(isAboutToBeNamed, reject);
  });

/** Keeps in the ledger why the database could not be made. */
export const recordingFailure = async <Result>(
  { ledger, logger }: Pick<MakingPorts, 'ledger' | 'logger'>,
  database: Parameters<ProvisioningLedger['fail']>[0],
  work: () => Promise<Result>,
): Promise<Result> => {
  try {
    return await work();
  } catch (error) {
    // Other domain errors say that now is not the time, not that this database cannot be made.
    if (error instanceof DomainError && !(error instanceof DatabaseProvisioningError)) throw error;
    logger.write('database.provisioning_failed', {
      err: error,
      org_id: database.organizationId,
      database: database.databaseName,
    });
    await ledger.fail(database, reasonOf(error));
    if (error instanceof DatabaseProvisioningError) throw error;
    throw new DatabaseProvisioningError('The results database of the organization could not be made.', error);
  }
};

const makeFromTemplate = async (
  ports: MakingPorts,
  claim: Claim,
  progress: Progress,
): Promise<DatabaseRecord> => {
  const server = ports.servers.of(claim.record.serverId);
  const attempt = async (): Promise<DatabaseRecord> => {
    const source = await server.template.ready();
    return server.exclusively(claim.record.databaseName, (session) =>
      makeLocked(ports, { server, session, claim, source, progress }),
    );
  };
  try {
    return await attempt();
  } catch (error) {
    if (!(error instanceof TemplateMissingError)) throw error;
    // An operator dropped it, or a release that took it for unused. It is built again.
    server.template.invalidate();
    return attempt();
  }
};

interface Act {
  readonly server: DatabaseServer;
  readonly session: ServerSession;
  readonly claim: Claim;
  readonly source: TemplateRecord;
  readonly progress: Progress;
}

const makeLocked = async (ports: MakingPorts, act: Act): Promise<DatabaseRecord> => {
  const { ledger, logger, onStep, onProvisioned } = ports;
  const { organizationId, databaseName, serverId, stamp } = act.claim.record;
  const startedAt = performance.now();
  // The claim is older than the lock. In between an operator may have retired the database, or another process may have
  // made it, or placed it elsewhere: a rename now would give the organization's name to a database that nobody recorded.
  const current = await ledger.find(organizationId);
  if (current?.stamp !== stamp || !isHalfMade(current.state)) return settledElsewhere(current);
  const { path, spare } = await bringAbout(ports, act);
  act.progress.isNamed();
  await onStep('named', organizationId);
  const record = await ledger.complete(organizationId, spare, path);
  if (record === null) return settledElsewhere(await ledger.find(organizationId));
  await onStep('completed', organizationId);
  const seconds = (performance.now() - startedAt) / 1000;
  onProvisioned(path, seconds, serverId);
  logger.write('database.provisioned', {
    org_id: organizationId,
    server: serverId,
    database: databaseName,
    path,
    duration_ms: Math.round(seconds * 1000),
  });
  return record;
};

/** Another process has finished the claim, or has taken it back. @throws {OrganizationNotReadyError} */
const settledElsewhere = (record: DatabaseRecord | null): DatabaseRecord => {
  if (record !== null && !isHalfMade(record.state)) return record;
  throw new OrganizationNotReadyError(
    'The making of the database was given up. The next request begins anew.',
  );
};

const bringAbout = async (ports: MakingPorts, act: Act): Promise<Made> => {
  const { spare, ready, record } = act.claim;
  const placement = placementOf(record, await ports.deployment.id());
  if (!ready) return findOrMake(ports, act, placement);
  const { databaseName } = placement;
  const arrived = await act.session.stampAndRename(
    spare.databaseName,
    databaseName,
    formatIdentity(placement),
  );
  // When anything is not as the ledger says, the slow way finds out.
  return arrived ? { path: 'spare', spare } : findOrMake(ports, act, placement);
};

/** Looks how far an earlier attempt came, and goes on from there. */
const findOrMake = async (ports: MakingPorts, act: Act, placement: Placement): Promise<Made> => {
  const { session, claim, source, progress } = act;
  const { databaseName, organizationId, deploymentId } = placement;
  const given = claim.spare.templateHash === ADOPTED;
  const path = given ? 'adoption' : 'resume';
  const present = await session.identityOf(databaseName);
  if (isIdentity(present, placement)) return { path, spare: claim.spare };
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
  if (!given && owner !== null && owner !== deploymentId) {
    throw new DatabaseProvisioningError(
      `The recorded database "${claim.spare.databaseName}" belongs to another deployment.`,
    );
  }
  // What another release left was never served: this release makes its own.
  const resumed = left !== undefined && (given || claim.spare.templateHash === source.hash);
  if (left !== undefined && !resumed) await session.drop(claim.spare.databaseName);
  const spare = resumed ? claim.spare : await cloneTemplate(ports, session, claim.spare, source);
  await ports.onStep('cloned', organizationId);
  await session.restrict(spare.databaseName, spare.spareId);
  await ports.onStep('restricted', organizationId);
  await proveWhole(act, spare, { isGiven: given });
  const former = given ? stampIn(left ?? null) : null;
  if (former !== null && former !== spare.spareId) await session.removeRole(spare.databaseName, former);
  progress.isAboutToBeNamed();
  if (!(await session.stampAndRename(spare.databaseName, databaseName, formatIdentity(placement))))
    throw new Error('the database could not take its name');
  return { path: resumed ? path : 'clone', spare };
};

/** Nothing is named before it has its tables. What was made here is dropped, so that the next request makes it anew. */
const proveWhole = async (
  { server, session }: Act,
  { databaseName, schemaVersion }: SpareDatabase,
  { isGiven }: { readonly isGiven: boolean },
): Promise<void> => {
  try {
    await server.proveSchema(databaseName, schemaVersion);
  } catch (error) {
    if (error instanceof MigrationsMissingError && !isGiven) await session.drop(databaseName);
    throw error;
  }
};

/** A claim left by an older release is cloned from today's template. The ledger knows before it happens. */
const cloneTemplate = async (
  { ledger }: MakingPorts,
  session: ServerSession,
  spare: SpareDatabase,
  source: TemplateRecord,
): Promise<SpareDatabase> => {
  const rebased = { ...spare, templateHash: source.hash, schemaVersion: source.schemaVersion };
  if (spare.templateHash !== source.hash) await ledger.rebase(rebased);
  await session.clone(source.databaseName, spare.databaseName);
  return rebased;
};
