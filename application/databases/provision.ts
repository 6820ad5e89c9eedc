import {
  OrganizationDatabaseNotFoundError,
  OrganizationNotReadyError,
} from '../../domain/databases/errors.ts';
import { OrganizationSuspendedError } from '../../domain/organizations/errors.ts';
import { isHalfMade } from '../../domain/databases/results-database.ts';
import type { Placement } from '../../domain/databases/placement.ts';
import { isIdentity } from '../../domain/databases/database-identity.ts';
import { isServerProblem, LOCKED_OUT, MISPLACED, MISSING } from '../../domain/databases/database-problems.ts';
import { DatabaseConnectionError, OrganizationNotFoundError } from '../../domain/exceptions.ts';
import { NoServerAvailableError } from '../../domain/databases/errors.ts';
import { choosePlacement } from '../../domain/databases/placement-policy.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { type DatabaseRecord } from '../ports/databases/database-ledger.ts';
import { collectOffers } from './collect-offers.ts';
import { makeDatabase, recordingFailure, type MakingPorts } from './make-database.ts';
import { placementOf } from './placement-of.ts';

export interface ProvisioningPorts extends MakingPorts {
  /** A number of [0, 1), by which servers are drawn. */
  readonly random: () => number;
  /** Judges the schema version of a database that is there. @throws {OrganizationNotReadyError} */
  readonly admit: (organizationId: OrganizationId, schemaVersion: number) => Promise<void>;
}

/** A database that is about to take its name. */
export interface Making {
  /** Resolves when the database has its name: a login finds it. Rejects when it did not come there. */
  readonly named: Promise<void>;
  /** Resolves when the ledger knows the database as ready. Nobody may be served before. */
  readonly ready: Promise<Placement>;
}

export interface Found {
  /** Where the database is, or will be. */
  readonly placement: Placement;
  /** Makes the database, which is claimed so far; resolves when it is about to take its name. Null: it is ready. */
  readonly make: (() => Promise<Making>) | null;
}

/**
 * Gives organizations their databases. Each step is written down before it is done, and can be repeated: the next
 * request, in any process, finishes what a process that died left.
 *
 * intent in the ledger → database under a private name → stamp and final name in one transaction → `ready` in the ledger.
 * A database under an organization's name is therefore always whole, and ours only if it carries the stamp. Decision 0001.
 */
export interface Provisioning {
  /**
   * Finds the organization's database, or claims one for it on a server.
   *
   * @throws {OrganizationNotFoundError}
   * @throws {OrganizationSuspendedError}
   * @throws {OrganizationDatabaseNotFoundError} when there is none and `create` is false
   * @throws {OrganizationNotReadyError} while an operator puts the database aside, and outside of the schema window
   * @throws {NoServerAvailableError} when no server may take it
   * @throws {DatabaseProvisioningError}
   */
  readonly find: (organizationId: OrganizationId, options: { readonly create: boolean }) => Promise<Found>;
  /** As `find`, and makes the database. */
  readonly provision: (organizationId: OrganizationId) => Promise<Placement>;
  /**
   * As `provision`, and looks on the server for what the ledger calls ready: for operators, who ask when something is
   * wrong. Keeps what it finds in the ledger. Never makes again what is missing.
   *
   * @throws {DatabaseConnectionError} when the database is missing, is another one, or lacks its role
   */
  readonly confirm: (organizationId: OrganizationId) => Promise<Placement>;
}

export const provisioning = (ports: ProvisioningPorts): Provisioning => {
  const { ledger, servers } = ports;

  const serve = async (record: DatabaseRecord): Promise<Placement> => {
    if (record.state === 'retiring')
      throw new OrganizationNotReadyError('The database of the organization is being put aside.');
    await ports.admit(record.organizationId, record.schemaVersion ?? 0);
    return placementOf(record, await ports.deployment.id());
  };

  const find: Provisioning['find'] = async (organizationId, { create }) => {
    const found = await ledger.findForAccess(organizationId);
    if (found === null) throw new OrganizationNotFoundError();
    if (found.status === 'suspended') throw new OrganizationSuspendedError();
    const { record } = found;
    // A database that was put aside counts as one that never was.
    if (!create && (record === null || record.stamp === null)) throw new OrganizationDatabaseNotFoundError();
    if (record !== null && !isHalfMade(record.state)) return { placement: await serve(record), make: null };
    const claim = await claimDatabase(ports, organizationId, record);
    if (claim.spare === null) return { placement: await serve(claim.record), make: null };
    return {
      placement: placementOf(claim.record, await ports.deployment.id()),
      make: async () => {
        const { named, ready } = await makeDatabase(ports, claim);
        return { named, ready: ready.then(serve) };
      },
    };
  };

  const provision: Provisioning['provision'] = async (organizationId) => {
    const { placement, make } = await find(organizationId, { create: true });
    return make === null ? placement : (await make()).ready;
  };

  const confirm: Provisioning['confirm'] = async (organizationId) => {
    const placement = await provision(organizationId);
    const { serverId, databaseName } = placement;
    const problem = await servers.of(serverId).exclusively(databaseName, async (session) => {
      const identity = await session.identityOf(databaseName);
      if (identity === undefined) return MISSING;
      if (!isIdentity(identity, placement)) return MISPLACED;
      return (await session.withoutRoleAccess([placement])).size === 0 ? null : LOCKED_OUT;
    });
    const record = await ledger.find(organizationId);
    if (problem !== null || isServerProblem(record?.lastError ?? null))
      await ledger.noteError(organizationId, problem);
    if (problem !== null) throw new DatabaseConnectionError(problem);
    return placement;
  };

  return { find, provision, confirm };
};

/** Writes down that the organization gets a database, and on which server; or finds what was written before. */
const claimDatabase = async (
  ports: ProvisioningPorts,
  organizationId: OrganizationId,
  record: DatabaseRecord | null,
): ReturnType<ProvisioningPorts['ledger']['claim']> => {
  const [first] = ports.servers.list();
  const databaseName = record?.databaseName ?? first?.names.forOrganization(organizationId) ?? '';
  const claim = await recordingFailure(ports, { organizationId, databaseName }, async () =>
    ports.ledger.claim(
      organizationId,
      await collectOffers(ports.servers, ports.newId, organizationId),
      (servers, pin) => {
        const choice = choosePlacement({ servers, pin, random: ports.random });
        if ('refused' in choice) throw new NoServerAvailableError(choice.refused);
        return choice.serverId;
      },
    ),
  );
  if (claim.spare !== null) await ports.onStep('claimed', organizationId);
  return claim;
};
