import type {
  DatabaseLedger,
  DatabaseRecord,
  RecordedDatabase,
} from '../../../application/ports/databases/database-ledger.ts';
import type { DatabaseState } from '../../../domain/databases/results-database.ts';
import {
  ADOPTED,
  type Adoption,
  type ChoosePlacement,
  type PlacementOffer,
  type ProvisioningLedger,
  type SpareDatabase,
} from '../../../application/ports/databases/provisioning-ledger.ts';
import { DatabaseProvisioningError } from '../../../domain/exceptions.ts';
import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';
import type { OrganizationStatus } from '../../../domain/organizations/organization.ts';
import type { ServerId } from '../../../domain/databases/server.ts';
import { toPage, type Page, type PageRequest } from '../../../domain/page.ts';
import { isViolation, UNIQUE_VIOLATION } from '../postgres-error.ts';
import { dynamicQuery, sql, type SqlDatabase, type SqlExecutor } from '../statement.ts';
import { asUnknownOrganization, claimDatabase, toClaim } from './claim-database.ts';
import * as statements from './database-ledger-statements.ts';
import { RECORD_COLUMNS, toDatabaseRecord, toSpare, type DatabaseRow } from './database-ledger-rows.ts';

/** Which database is each organization's, and how far its making is. Decisions 0002 and 0021. */
export class KnexDatabaseLedger implements DatabaseLedger, ProvisioningLedger {
  readonly #database: SqlDatabase;

  constructor(database: SqlDatabase) {
    this.#database = database;
  }

  async find(organizationId: OrganizationId): Promise<DatabaseRecord | null> {
    const [row] = await this.#database.query(statements.find({ organizationId }));
    return row === undefined ? null : toDatabaseRecord(row);
  }

  async findForAccess(
    organizationId: OrganizationId,
  ): Promise<{ status: OrganizationStatus; record: DatabaseRecord | null } | null> {
    const [row] = await this.#database.query(statements.findForAccess({ organizationId }));
    if (row === undefined) return null;
    const { status, ...record } = row;
    return { status, record: record.org_id === null ? null : toDatabaseRecord(record) };
  }

  async list(
    { state, serverId = null }: { readonly state: DatabaseState | null; readonly serverId?: ServerId | null },
    { limit, after }: PageRequest<string>,
  ): Promise<Page<DatabaseRecord, string>> {
    const query = sql('organization_databases')
      .select(RECORD_COLUMNS)
      .orderBy('org_id')
      .limit(limit + 1);
    if (state !== null) query.where('state', state);
    if (serverId !== null) query.where('server_id', serverId);
    if (after !== null) query.where('org_id', '>', after);
    const rows = await this.#database.query(dynamicQuery<DatabaseRow>(query));
    return toPage(rows.map(toDatabaseRecord), limit, (record) => record.organizationId);
  }

  async findOnServer(
    serverId: ServerId,
    organizationIds: readonly OrganizationId[],
  ): Promise<readonly DatabaseRecord[]> {
    if (organizationIds.length === 0) return [];
    const rows = await this.#database.query(statements.findOnServer({ serverId, organizationIds }));
    return rows.map(toDatabaseRecord);
  }

  async countByState(): Promise<ReadonlyMap<ServerId, Record<DatabaseState, number>>> {
    const counts = new Map<ServerId, Record<DatabaseState, number>>();
    for (const { server_id: serverId, state, count } of await this.#database.query(
      statements.countByState({}),
    )) {
      const ofServer = counts.get(serverId) ?? { provisioning: 0, ready: 0, failed: 0, retiring: 0 };
      counts.set(serverId, { ...ofServer, [state]: Number(count) });
    }
    return counts;
  }

  claim(
    organizationId: OrganizationId,
    offers: readonly PlacementOffer[],
    choose: ChoosePlacement,
  ): ReturnType<ProvisioningLedger['claim']> {
    return claimDatabase(this.#database, organizationId, offers, choose);
  }

  async rebase({ spareId, templateHash, schemaVersion }: SpareDatabase): Promise<void> {
    await this.#database.query(statements.rebaseSpare({ spareId, templateHash, schemaVersion }));
  }

  async complete(
    organizationId: OrganizationId,
    spare: SpareDatabase,
    path: string,
  ): Promise<DatabaseRecord | null> {
    const { spareId: stamp, schemaVersion } = spare;
    const [row] = await this.#database.query(
      statements.complete({ organizationId, stamp, schemaVersion, path }),
    );
    return row === undefined ? null : toDatabaseRecord(row);
  }

  async fail(database: Parameters<ProvisioningLedger['fail']>[0], reason: string): Promise<void> {
    await this.#database.query(statements.fail({ ...database, reason }));
  }

  async noteError(database: RecordedDatabase, reason: string | null): Promise<void> {
    await this.#database.query(statements.noteError({ ...database, reason }));
  }

  async beginRetirement(database: RecordedDatabase): Promise<boolean> {
    return (await this.#database.query(statements.beginRetirement(database))).length > 0;
  }

  async completeRetirement(database: RecordedDatabase, renamedTo: string | null): Promise<void> {
    const { stamp } = database;
    await this.#database.transaction(async (executor) => {
      const retired = await executor.query(statements.completeRetirement({ ...database, renamedTo }));
      if (retired.length > 0 && stamp !== null)
        await executor.query(statements.releaseClaim({ spareId: stamp }));
    });
  }

  async recordAdoption(
    organizationId: OrganizationId,
    adoption: Adoption,
  ): ReturnType<ProvisioningLedger['recordAdoption']> {
    try {
      return await this.#database.transaction((executor) =>
        recordAdoption(executor, organizationId, adoption),
      );
    } catch (error) {
      if (isViolation(error, UNIQUE_VIOLATION, 'spare_databases_database_name_key')) {
        throw new DatabaseProvisioningError(
          `The database "${adoption.from}" is on its way to another organization.`,
          error,
        );
      }
      throw asUnknownOrganization(error);
    }
  }
}

const recordAdoption = async (
  executor: SqlExecutor,
  organizationId: OrganizationId,
  { serverId, databaseName, from, stamp, schemaVersion }: Adoption,
): ReturnType<ProvisioningLedger['recordAdoption']> => {
  const [before] = await executor.query(statements.findForUpdate({ organizationId }));
  if (before !== undefined && before.stamp !== null && before.server_id !== serverId)
    return { record: toDatabaseRecord(before), spare: null };
  const [bound] =
    before === undefined ? [] : await executor.query(statements.findSpare({ spareId: before.stamp }));
  if (bound?.template_hash === ADOPTED && bound.server_id === serverId && bound.database_name === from) {
    const spare = { ...toSpare(bound), schemaVersion };
    await executor.query(statements.rebaseSpare(spare));
    const [row] = await executor.query(statements.repeatAdoption({ organizationId, schemaVersion }));
    if (row === undefined) throw new Error('a locked record vanished');
    return toClaim(row, spare, false);
  }
  if (bound !== undefined) await executor.query(statements.releaseClaim({ spareId: bound.spare_id }));
  const spare = { spareId: stamp, serverId, databaseName: from, templateHash: ADOPTED, schemaVersion };
  await executor.query(statements.insertSpare({ ...spare, state: 'claimed' }));
  const [row] = await executor.query(
    statements.adopt({ organizationId, serverId, databaseName, stamp, schemaVersion }),
  );
  if (row === undefined) throw new Error('an upsert returned no row');
  return toClaim(row, spare, false);
};
