import type { DatabaseLedger, DatabaseRecord } from '../../../application/ports/databases/database-ledger.ts';
import type {
  MetadataDatabase,
  MetadataRepositories,
} from '../../../application/ports/databases/metadata-database.ts';
import { keptDetails } from '../../../domain/audit/bounded-details.ts';
import { EVERY_TRAIL, type AuditEntry, type AuditEvent } from '../../../domain/audit/audit-log.ts';
import { OrganizationNotFoundError } from '../../../domain/exceptions.ts';
import type {
  ListedOrganization,
  OrganizationFilter,
} from '../../../domain/organizations/organization-repository.ts';
import { OrganizationAlreadyExistsError } from '../../../domain/organizations/errors.ts';
import { ServerNotFoundError } from '../../../domain/databases/errors.ts';
import { ANYWHERE, DEFAULT_SERVER, type PlacementPin } from '../../../domain/databases/server.ts';
import type { ServerId } from '../../../domain/databases/server.ts';
import type { DatabaseState } from '../../../domain/databases/results-database.ts';
import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';
import { POLICY_SETTINGS } from '../../../domain/organizations/organization-policy.ts';
import type { Organization, VersionedSettings } from '../../../domain/organizations/organization.ts';
import { JsonText } from '../../../domain/json-text.ts';
import { toPage } from '../../../domain/page.ts';
import { fakePart } from './fake-part.ts';
import { asJsonb } from './as-jsonb.ts';
import { FakeEventTrail } from './fake-event-trail.ts';
import { FakePeople } from './fake-people.ts';
import { FakeServiceAccounts } from './fake-service-accounts.ts';
import { FakeServerLedger } from './fake-servers.ts';
import { FakeTransactions, saveList, saveMap } from './fake-transactions.ts';

const NOW = new Date('2026-01-02T03:04:05.678Z');

/** The metadata database and the ledger in memory, as far as the HTTP side reaches them. */
export class FakeMetadata implements MetadataDatabase {
  readonly stored = new Map<string, Organization>();
  readonly settings = new Map<string, VersionedSettings>();
  readonly records = new Map<string, DatabaseRecord>();
  readonly trail: (Omit<AuditEntry, 'details'> & Pick<AuditEvent, 'details'>)[] = [];
  /** Whether the trail refuses to be written. */
  isTrailAway = false;
  /** Whose people are who. */
  readonly people = new FakePeople((id) => this.stored.has(id));

  readonly serviceAccounts = new FakeServiceAccounts((id) => this.stored.has(id));

  readonly organizations: MetadataRepositories['organizations'] = {
    insert: async ({ id, name, placement = ANYWHERE }) => {
      if (this.stored.has(id)) throw new OrganizationAlreadyExistsError(id);
      this.#assertRecorded(placement);
      return this.#store({ id, name, status: 'active', placement, createdAt: NOW, updatedAt: NOW });
    },
    find: async (id) => this.stored.get(id) ?? null,
    list: async (filter, { limit, after }) => {
      const { order } = filter;
      const keyOf = ({ name, createdAt, id }: Organization): string =>
        ({ id: '', name, newest: createdAt.toISOString() })[order] + `\n${id}`;
      const direction = order === 'newest' ? -1 : 1;
      const anchor = after === null ? undefined : this.stored.get(after);
      const following = [...this.stored.values()]
        .filter((one) => anchor === undefined || (keyOf(one) > keyOf(anchor) ? 1 : -1) === direction)
        .filter(({ id }) => id !== after)
        .toSorted((a, b) => (keyOf(a) < keyOf(b) ? -direction : direction))
        .map((one) => ({ ...one, database: this.records.get(one.id) ?? null }))
        .filter((one) => isListed(one, filter))
        .map(({ database, ...one }) => ({ ...one, database: database && listedDatabase(database) }));
      return toPage(following, limit, ({ id }) => id);
    },
    rename: async (id, name) => {
      const organization = this.stored.get(id);
      return organization === undefined ? null : this.#store({ ...organization, name });
    },
    pin: async (id, changes) => {
      const organization = this.stored.get(id);
      if (organization === undefined) return null;
      const placement = { ...organization.placement, ...changes };
      this.#assertRecorded(placement);
      return this.#store({ ...organization, placement });
    },
    findSettings: async (id) => this.#findSettings(id),
    findSettingsForUpdate: async (id) => this.#findSettings(id),
    replaceSettings: async (id, settings) => {
      if (!this.stored.has(id)) throw new OrganizationNotFoundError();
      const version = (this.settings.get(id)?.version ?? 0) + 1;
      const written = { settings: asJsonb(settings), version };
      this.settings.set(id, written);
      return written;
    },
    moveStatus: async (id, from, to) => {
      const organization = this.stored.get(id);
      if (organization?.status !== from) return false;
      this.#store({ ...organization, status: to });
      return true;
    },
    listControls: async (ids) =>
      [...this.stored.values()]
        .filter(({ id }) => ids === null || ids.includes(id))
        .map(({ id, status }) => ({
          organizationId: id,
          status,
          settings: actedOn(this.settings.get(id)?.settings ?? {}),
        }))
        .filter(
          ({ status, settings }) =>
            status === 'suspended' ||
            Object.keys(POLICY_SETTINGS).some((key) => Object.hasOwn(settings, key)),
        ),
  };

  readonly users = this.people.users;
  readonly members = this.people.members;
  readonly identities = this.people.identities;
  readonly sessions = this.people.sessions;

  readonly serverLedger = new FakeServerLedger(
    (serverId) =>
      [...this.records.values()].filter((record) => record.serverId === serverId && record.stamp !== null)
        .length,
  );

  readonly auditLog: MetadataRepositories['auditLog'] = {
    append: async ({ reason, ...event }: AuditEvent) => {
      if (this.isTrailAway) throw new Error('the metadata database is away');
      const position = String(this.trail.length + 1);
      this.trail.push({
        ...event,
        details: keptDetails({ ...event, ...(reason !== undefined && { reason }) }),
        address: event.address ?? null,
        auditId: `audit-${position}`,
        at: NOW,
        position,
      });
    },
    list: async (scope, { action, userId, entityId, requestId, from, to }, part) => {
      const { after } = part;
      const following = this.trail
        .filter((entry) => scope === EVERY_TRAIL || entry.organizationId === scope)
        .filter((entry) => action === null || entry.action === action)
        .filter((entry) => (userId ?? null) === null || entry.userId === userId)
        .filter((entry) => (entityId ?? null) === null || entry.entityId === entityId)
        .filter((entry) => (requestId ?? null) === null || entry.requestId === requestId)
        .filter(({ at }) => at >= (from ?? at) && ((to ?? null) === null || at < (to ?? at)))
        .filter((entry) => after === null || Number(entry.position) < Number(after.position))
        .toReversed()
        .map(({ details, ...entry }) => ({ ...entry, details: JsonText.of(details) }));
      return fakePart(following, part, ({ at, position }) => ({ at, position }));
    },
  };

  readonly events = new FakeEventTrail(() => this.trail);

  readonly ledger: DatabaseLedger = {
    find: async (id) => this.records.get(id) ?? null,
    findForAccess: async (id) => {
      const organization = this.stored.get(id);
      return organization === undefined
        ? null
        : { status: organization.status, record: this.records.get(id) ?? null };
    },
    list: async ({ state, serverId = null }, { limit, after }) => {
      const following = [...this.records.values()]
        .filter((record) => state === null || record.state === state)
        .filter((record) => serverId === null || record.serverId === serverId)
        .filter((record) => after === null || record.organizationId > after)
        .toSorted((a, b) => (a.organizationId < b.organizationId ? -1 : 1));
      return toPage(following, limit, ({ organizationId }) => organizationId);
    },
    findOnServer: async (serverId, ids) =>
      [...this.records.values()].filter(
        (record) => record.serverId === serverId && ids.includes(record.organizationId),
      ),
    countByState: async () => {
      const counts = new Map<ServerId, Record<DatabaseState, number>>();
      for (const { serverId, state } of this.records.values()) {
        const ofServer = counts.get(serverId) ?? { provisioning: 0, ready: 0, failed: 0, retiring: 0 };
        counts.set(serverId, { ...ofServer, [state]: ofServer[state] + 1 });
      }
      return counts;
    },
  };

  readonly #transactions = new FakeTransactions(() => [
    saveMap(this.stored),
    saveMap(this.settings),
    saveMap(this.records),
    saveMap(this.serverLedger.records),
    saveList(this.trail),
    ...this.people.save(),
    ...this.serviceAccounts.save(),
  ]);

  transaction<Result>(work: (repositories: MetadataRepositories) => Promise<Result>): Promise<Result> {
    return this.#transactions.run(() => work(this));
  }

  /** Registers an organization. */
  add(id: OrganizationId): void {
    this.#store({
      id,
      name: `Name of ${id}`,
      status: 'active',
      placement: ANYWHERE,
      createdAt: NOW,
      updatedAt: NOW,
    });
  }

  /** Writes a record of a database that is ready, unless the fields say otherwise. */
  addDatabase(id: OrganizationId, fields: Partial<DatabaseRecord> = {}): void {
    this.records.set(id, {
      organizationId: id,
      serverId: DEFAULT_SERVER,
      databaseName: `mad_results_${id}`,
      state: 'ready',
      stamp: '00000000-0000-4000-8000-000000000001',
      generation: 1,
      schemaVersion: 1,
      lastError: null,
      createdAt: NOW,
      updatedAt: NOW,
      ...fields,
    });
  }

  #assertRecorded({ serverId }: PlacementPin): void {
    if (serverId !== null && !this.serverLedger.records.has(serverId)) throw new ServerNotFoundError();
  }

  #findSettings(id: OrganizationId): VersionedSettings | null {
    return this.stored.has(id) ? (this.settings.get(id) ?? { settings: {}, version: 0 }) : null;
  }

  #store(organization: Organization): Organization {
    this.stored.set(organization.id, organization);
    return organization;
  }
}

const listedDatabase = ({
  serverId,
  state,
  schemaVersion,
  lastError,
}: DatabaseRecord): NonNullable<ListedOrganization['database']> => ({
  serverId,
  state,
  schemaVersion,
  lastError,
});

const isListed = (
  { id, name, status, database }: Organization & { readonly database: DatabaseRecord | null },
  filter: OrganizationFilter,
): boolean => {
  const { prefix, serverId, state } = filter;
  return (
    (prefix === null || id.startsWith(prefix) || name.toLowerCase().startsWith(prefix.toLowerCase())) &&
    (filter.status === null || status === filter.status) &&
    (serverId === null || database?.serverId === serverId) &&
    (state === null || (database?.state ?? 'none') === state)
  );
};

const actedOn = (settings: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(settings).filter(([key]) => Object.hasOwn(POLICY_SETTINGS, key)));
