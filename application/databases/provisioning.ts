import type { Claimed, Provisioning } from '../ports/databases/provisioning.ts';
import {
  NoServerAvailableError,
  OrganizationDatabaseNotFoundError,
  OrganizationNotReadyError,
} from '../../domain/databases/errors.ts';
import { OrganizationSuspendedError } from '../../domain/organizations/errors.ts';
import { isHalfMade } from '../../domain/databases/results-database.ts';
import type { Placement } from '../../domain/databases/placement.ts';
import { isIdentity } from '../../domain/databases/database-identity.ts';
import { isServerProblem, LOCKED_OUT, MISPLACED, MISSING } from '../../domain/databases/database-problems.ts';
import { DatabaseConnectionError, OrganizationNotFoundError } from '../../domain/exceptions.ts';
import { choosePlacement } from '../../domain/databases/placement-policy.ts';
import { DEFAULT_SERVER, type ServerId } from '../../domain/databases/server.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { type DatabaseRecord } from '../ports/databases/database-ledger.ts';
import type { DatabaseServer } from '../ports/databases/database-server.ts';
import type { Span } from '../ports/runtime/tracing.ts';
import { collectOffers } from './collect-offers.ts';
import { makeDatabase, recordingFailure, type MakingPorts } from './make-database.ts';
import { placementOf } from './placement-of.ts';

export interface ProvisioningPorts extends MakingPorts {
  /** A number of [0, 1), by which servers are drawn. */
  readonly random: () => number;
  /** Judges the schema version of a database that is there. @throws {OrganizationNotReadyError} */
  readonly admit: (organizationId: OrganizationId, schemaVersion: number) => Promise<void>;
}

/** See the port. */
export const provisioning = (ports: ProvisioningPorts): Provisioning => {
  const { ledger, servers } = ports;

  const serve = async (record: DatabaseRecord): Promise<Placement> => {
    if (record.state === 'retiring')
      throw new OrganizationNotReadyError('The database of the organization is being put aside.');
    await ports.admit(record.organizationId, record.schemaVersion ?? 0);
    return placementOf(record, await ports.deployment.id());
  };

  const claimFor = async (
    organizationId: OrganizationId,
    record: DatabaseRecord | null,
    span: Span | null,
  ): Promise<Claimed> => {
    const recorded = span === null ? ports : { ...ports, onStep: recordSteps(span, ports.onStep) };
    const claim = await claimDatabase(recorded, organizationId, record);
    if (claim.spare === null) return { placement: await serve(claim.record), make: null };
    return {
      placement: placementOf(claim.record, await ports.deployment.id()),
      make: async () => {
        const { named, ready } = await makeDatabase(recorded, claim);
        return { named, ready: ready.then(serve) };
      },
    };
  };

  const find: Provisioning['find'] = async (organizationId, { create }) => {
    const found = await ledger.findForAccess(organizationId);
    if (found === null) throw new OrganizationNotFoundError();
    if (found.status === 'suspended') throw new OrganizationSuspendedError();
    const { record } = found;
    // A database that was put aside counts as one that never was.
    if (!create && (record === null || record.stamp === null)) throw new OrganizationDatabaseNotFoundError();
    return record !== null && !isHalfMade(record.state)
      ? { placement: await serve(record) }
      : { claim: (span = null) => claimFor(organizationId, record, span) };
  };

  const provision: Provisioning['provision'] = async (organizationId) => {
    const found = await find(organizationId, { create: true });
    if ('placement' in found) return found.placement;
    const { placement, make } = await found.claim();
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
      await ledger.noteError(placement, problem);
    if (problem !== null) throw new DatabaseConnectionError(problem);
    return placement;
  };

  return { find, provision, confirm };
};

/** Each step lasts from the end of the one before, and has its name. */
const recordSteps = (span: Span, onStep: ProvisioningPorts['onStep']): ProvisioningPorts['onStep'] => {
  let sinceMs = performance.now();
  return (step, organizationId) => {
    span.add(`provision.${step}`, sinceMs);
    sinceMs = performance.now();
    return onStep(step, organizationId);
  };
};

/** Claims a database for the organization, on a server that is chosen for it. Returns an earlier claim as it is. */
const claimDatabase = async (
  ports: ProvisioningPorts,
  organizationId: OrganizationId,
  record: DatabaseRecord | null,
): ReturnType<ProvisioningPorts['ledger']['claim']> => {
  const databaseName =
    record?.databaseName ?? ports.servers.of(DEFAULT_SERVER).names.forOrganization(organizationId);
  let offered: ReadonlySet<ServerId> = new Set();
  const claimFrom = async (isAwaited: Parameters<typeof collectOffers>[2]) => {
    const offers = await collectOffers(ports, organizationId, isAwaited);
    offered = new Set(offers.map(({ fresh }) => fresh.serverId));
    return ports.ledger.claim(organizationId, offers, (servers, pin) => {
      const choice = choosePlacement({ servers, pin, random: ports.random });
      if ('refused' in choice) throw new NoServerAvailableError(choice.refused);
      return choice.serverId;
    });
  };
  // Such a server was not offered: its template was not known to stand, or could not be built.
  const isUntried = ({ isAvailable, serverId }: DatabaseServer): boolean =>
    isAvailable && !offered.has(serverId);
  const stamp = record?.stamp ?? null;
  const claim = await recordingFailure(ports, { organizationId, databaseName, stamp }, async () => {
    // An earlier attempt may have begun the database on a server. The claim waits for that server's template, so that the
    // database is finished there. It chooses another server only when that one cannot be offered.
    const begunOn = record !== null && stamp !== null ? record.serverId : null;
    try {
      return await claimFrom(({ serverId }) => serverId === begunOn);
    } catch (error) {
      // The organization may be pinned to a server that was not offered. The claim waits for the templates of all servers,
      // and tries once more.
      if (!(error instanceof NoServerAvailableError) || !ports.servers.list().some(isUntried)) throw error;
      return claimFrom(() => true);
    }
  });
  if (claim.spare !== null) await ports.onStep('claimed', organizationId);
  return claim;
};
