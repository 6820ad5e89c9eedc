import {
  ADOPTED,
  type ChoosePlacement,
  type Claim,
  type PlacementOffer,
  type ProvisioningLedger,
} from '../../../application/ports/databases/provisioning-ledger.ts';
import { satisfiesPin } from '../../../domain/databases/placement-policy.ts';
import { isHalfMade } from '../../../domain/databases/results-database.ts';
import type { PlacementPin } from '../../../domain/databases/server.ts';
import type { SpareDatabase } from '../../../application/ports/databases/provisioning-ledger.ts';
import { OrganizationNotFoundError } from '../../../domain/exceptions.ts';
import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';
import { FOREIGN_KEY_VIOLATION, isViolation, UNIQUE_VIOLATION } from '../postgres-error.ts';
import type { SqlDatabase, SqlExecutor } from '../statement.ts';
import { toDatabaseRecord, toSpare, type DatabaseRow } from './database-ledger-rows.ts';
import * as statements from './database-ledger-statements.ts';
import { findServer, lockServers, toServerRecord } from './server-statements.ts';

/** See `ProvisioningLedger.claim`. */
export const claimDatabase = async (
  database: SqlDatabase,
  organizationId: OrganizationId,
  offers: readonly PlacementOffer[],
  choose: ChoosePlacement,
): ReturnType<ProvisioningLedger['claim']> => {
  const [only, ...others] = offers;
  if (only === undefined) throw new RangeError('there is no offer to claim from');
  const quick = others.length === 0 ? await claimOnly(database, organizationId, only) : null;
  return (
    quick ??
    database.transaction((executor) => new StepwiseClaim(executor, organizationId, offers, choose).run(only))
  );
};

/** Claims in one statement; null when the case is not that simple, and then nothing is changed. */
const claimOnly = async (
  database: SqlDatabase,
  organizationId: OrganizationId,
  { databaseName, fresh }: PlacementOffer,
): Promise<Claim | null> => {
  const { serverId, templateHash } = fresh;
  const [row] = await database
    .query(statements.claimOnly({ ...fresh, spareName: fresh.databaseName, organizationId, databaseName }))
    .catch((error: unknown) => {
      // Another process wrote a record meanwhile, if only of a failure.
      if (isViolation(error, UNIQUE_VIOLATION, 'organization_databases_pkey')) return [];
      throw error;
    });
  if (row === undefined) return null;
  const spare = {
    spareId: row.spare_id,
    serverId,
    databaseName: row.spare_name,
    templateHash,
    schemaVersion: row.spare_version,
  };
  return toClaim(row, spare, row.is_ready);
};

/** The claim of one organization within a transaction. Locks the organization's record first, then the servers'. */
class StepwiseClaim {
  readonly #executor: SqlExecutor;
  readonly #organizationId: OrganizationId;
  readonly #offers: readonly PlacementOffer[];
  readonly #choose: ChoosePlacement;

  constructor(
    executor: SqlExecutor,
    organizationId: OrganizationId,
    offers: readonly PlacementOffer[],
    choose: ChoosePlacement,
  ) {
    this.#executor = executor;
    this.#organizationId = organizationId;
    this.#offers = offers;
    this.#choose = choose;
  }

  /** @param first names the database until a server is chosen */
  async run(first: PlacementOffer): ReturnType<ProvisioningLedger['claim']> {
    const row = await intend(this.#executor, this.#organizationId, first.databaseName);
    if (!isHalfMade(row.state)) return { record: toDatabaseRecord(row), spare: null };
    return (row.stamp === null ? null : await this.#resume(row, row.stamp)) ?? this.#place(row);
  }

  /** Null: the server of the database that was to be made is not offered, or the organization is pinned elsewhere by now. */
  async #resume(row: DatabaseRow, stamp: string): Promise<Claim | null> {
    const [bound] = await this.#executor.query(statements.findSpare({ spareId: stamp }));
    const [server] = await this.#executor.query(findServer({ serverId: row.server_id }));
    const mayStay = server !== undefined && satisfiesPin(toServerRecord(server), await this.#pin());
    const offer = mayStay ? this.#offers.find(({ fresh }) => fresh.serverId === row.server_id) : undefined;
    // A database that an operator gave holds data: it cannot be made on another server.
    if (bound !== undefined && (offer !== undefined || bound.template_hash === ADOPTED))
      return toClaim(row, toSpare(bound), false);
    if (offer === undefined) {
      await this.#executor.query(statements.releaseClaim({ spareId: stamp }));
      return null;
    }
    // The ledger lost the spare: it is built again under the same stamp, from today's template.
    const spare = { ...offer.fresh, spareId: stamp };
    await this.#executor.query(statements.insertSpare({ ...spare, state: 'building' }));
    return toClaim(row, spare, false);
  }

  async #place(row: DatabaseRow): Promise<Claim> {
    const executor = this.#executor;
    const organizationId = this.#organizationId;
    const { databaseName, fresh } = await this.#chooseOffer();
    const [taken] = await executor.query(statements.takeSpare({ templateHash: fresh.templateHash }));
    if (taken === undefined) await executor.query(statements.insertSpare({ ...fresh, state: 'building' }));
    const spare = taken === undefined ? fresh : toSpare(taken);
    const [bound] = await executor.query(
      statements.bind({ organizationId, stamp: spare.spareId, serverId: fresh.serverId, databaseName }),
    );
    return toClaim(bound ?? row, spare, taken !== undefined);
  }

  async #pin(): Promise<PlacementPin> {
    const [pin] = await this.#executor.query(statements.findPin({ organizationId: this.#organizationId }));
    return { serverId: pin?.pinned_server_id ?? null, labels: pin?.pinned_labels ?? {} };
  }

  async #chooseOffer(): Promise<PlacementOffer> {
    const offered = new Set<string>(this.#offers.map(({ fresh }) => fresh.serverId));
    const servers = (await this.#executor.query(lockServers({}))).map((row) => ({
      ...toServerRecord(row),
      available: offered.has(row.server_id),
    }));
    const chosen = this.#choose(servers, await this.#pin());
    const offer = this.#offers.find(({ fresh }) => fresh.serverId === chosen);
    if (offer === undefined) throw new RangeError(`the server "${chosen}" was not offered`);
    return offer;
  }
}

/** The organization's record, made if absent, and locked until the transaction ends. */
const intend = async (
  executor: SqlExecutor,
  organizationId: OrganizationId,
  databaseName: string,
): Promise<DatabaseRow> => {
  try {
    await executor.query(statements.intend({ organizationId, databaseName }));
  } catch (error) {
    throw asUnknownOrganization(error);
  }
  const [row] = await executor.query(statements.findForUpdate({ organizationId }));
  if (row === undefined) throw new Error('an intent vanished');
  return row;
};

export const asUnknownOrganization = (error: unknown): unknown =>
  isViolation(error, FOREIGN_KEY_VIOLATION, 'organization_databases_org_id_fkey')
    ? new OrganizationNotFoundError()
    : error;

export const toClaim = (row: DatabaseRow, spare: SpareDatabase, ready: boolean): Claim => ({
  record: { ...toDatabaseRecord(row), stamp: spare.spareId },
  spare,
  ready,
});
