import { expect } from 'chai';
import type { DatabaseLedger } from '../../application/ports/databases/database-ledger.ts';
import type { MetadataDatabase } from '../../application/ports/databases/metadata-database.ts';
import { OrganizationNotFoundError } from '../../domain/exceptions.ts';
import { OrganizationAlreadyExistsError } from '../../domain/organizations/errors.ts';
import { ServerNotFoundError } from '../../domain/databases/errors.ts';
import { ANYWHERE, parseServerId } from '../../domain/databases/server.ts';
import { DEFAULT_SERVER } from '../../domain/databases/server.ts';
import { DATABASE_STATES } from '../../domain/databases/results-database.ts';
import {
  EVERY_TRAIL,
  type AuditFilter,
  type AuditKey,
  type TrailScope,
} from '../../domain/audit/audit-log.ts';
import {
  ALL_ORGANIZATIONS,
  type OrganizationFilter,
} from '../../domain/organizations/organization-repository.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { organizationId } from '../support/deployment.ts';
import { rejectionOf } from '../support/gate.ts';
import { inPages } from './in-pages.ts';
import { METADATA, type MetadataSubject, type Subject } from './subjects.ts';

const [ACME, BETA] = [organizationId('acme'), organizationId('beta')];

const keepsMetadata = (subject: Subject<MetadataSubject>): void => {
  let metadata: MetadataDatabase;
  let ledger: DatabaseLedger;
  let addDatabase: MetadataSubject['addDatabase'];

  before(() => subject.open());
  after(() => subject.close());
  beforeEach(async () => {
    ({ metadata, ledger, addDatabase } = await subject.empty());
  });

  const register = async (...ids: readonly OrganizationId[]): Promise<void> => {
    for (const id of ids) await metadata.organizations.insert({ id, name: id });
  };

  describe('organizations', () => {
    it('are made once, also when many try at the same time', async () => {
      const name = `A 'name' with $1, ? and é😀`;
      const attempts = await Promise.allSettled(
        Array.from({ length: 10 }, () => metadata.organizations.insert({ id: ACME, name })),
      );
      const refusals = attempts.flatMap((attempt) => (attempt.status === 'rejected' ? [attempt.reason] : []));
      expect(refusals).to.have.length(9);
      for (const refusal of refusals) expect(refusal).to.be.instanceOf(OrganizationAlreadyExistsError);
      expect(await metadata.organizations.find(ACME)).to.include({ id: ACME, name, status: 'active' });
      expect(await metadata.organizations.find(BETA)).to.equal(null);
    });

    it('are renamed, and listed by id in pages', async () => {
      const ids = ['d', 'a', 'c', 'b', 'a-b', 'a_b', 'ab'].map((id) => organizationId(id));
      for (const id of ids) await metadata.organizations.insert({ id, name: id });
      expect(await metadata.organizations.rename(ACME, 'x')).to.equal(null);
      expect(await metadata.organizations.rename(organizationId('a'), 'x')).to.include({ name: 'x' });
      const seen = await inPages((page) => metadata.organizations.list(ALL_ORGANIZATIONS, page));
      expect(seen.map(({ id }) => id).toSorted()).to.deep.equal(ids.toSorted());
    });

    it('are found by the beginning of id or name, status, server and state, in three orders', async () => {
      const { organizations } = metadata;
      const named: readonly (readonly [string, string])[] = [
        ['acme', 'zebra 100%'],
        ['beta', 'Acme_two'],
        ['b-eta', 'acmeXtwo'],
        ['gamma', '100% \\ sure'],
      ];
      for (const [id, name] of named) await organizations.insert({ id: organizationId(id), name });
      await organizations.moveStatus(BETA, 'active', 'suspended');
      await addDatabase(ACME, 'failed');
      const list = async (filter: Partial<OrganizationFilter>): Promise<readonly string[]> => {
        const found = await inPages((page) => organizations.list({ ...ALL_ORGANIZATIONS, ...filter }, page));
        return found.map(({ id }) => id);
      };
      expect(await list({ prefix: 'ACME', order: 'name' })).to.deep.equal(['beta', 'b-eta']);
      expect(await list({ prefix: 'acme_' })).to.deep.equal(['beta']);
      expect(await list({ prefix: '100%' })).to.deep.equal(['gamma']);
      expect(await list({ prefix: '100% \\' })).to.deep.equal(['gamma']);
      expect(await list({ prefix: '%' })).to.deep.equal([]);
      expect(await list({ order: 'name' })).to.deep.equal(['gamma', 'beta', 'b-eta', 'acme']);
      expect(await list({ status: 'suspended' })).to.deep.equal(['beta']);
      expect(await list({ state: 'failed' })).to.deep.equal(['acme']);
      expect(await list({ serverId: DEFAULT_SERVER })).to.deep.equal(['acme']);
      expect(await list({ state: 'none', order: 'name' })).to.deep.equal(['gamma', 'beta', 'b-eta']);
      expect((await list({ order: 'newest' })).toSorted()).to.deep.equal(['acme', 'b-eta', 'beta', 'gamma']);
      const { items } = await organizations.list(ALL_ORGANIZATIONS, { limit: 1, after: null });
      expect(items[0]?.database).to.deep.equal({
        serverId: DEFAULT_SERVER,
        state: 'failed',
        schemaVersion: 1,
        lastError: null,
      });
    });

    it('are pinned to a server or to labels, at first and later, and else may be anywhere', async () => {
      const { organizations, serverLedger } = metadata;
      const [eu, us] = [parseServerId('eu'), parseServerId('us')];
      await serverLedger.register([eu]);
      const unknown = { serverId: us, labels: {} };
      expect(
        await rejectionOf(organizations.insert({ id: ACME, name: 'x', placement: unknown })),
      ).to.be.instanceOf(ServerNotFoundError);
      const placement = { serverId: eu, labels: { region: '$1 ?' } };
      expect(await organizations.insert({ id: ACME, name: 'x', placement })).to.deep.include({ placement });
      expect(await organizations.insert({ id: BETA, name: 'y' })).to.deep.include({ placement: ANYWHERE });
      expect(await organizations.find(ACME)).to.deep.include({ placement });

      expect(await organizations.pin(ACME, {})).to.deep.include({ name: 'x', placement });
      const labels = { region: 'eu', tier: '1' };
      expect(await organizations.pin(ACME, { labels })).to.deep.include({
        placement: { serverId: eu, labels },
      });
      expect(await organizations.pin(ACME, { serverId: null })).to.deep.include({
        placement: { serverId: null, labels },
      });
      expect(await organizations.pin(ACME, { serverId: eu, labels: {} })).to.deep.include({
        placement: { serverId: eu, labels: {} },
      });
      expect(await rejectionOf(organizations.pin(ACME, { serverId: us }))).to.be.instanceOf(
        ServerNotFoundError,
      );
      expect(await organizations.find(ACME)).to.deep.include({ placement: { serverId: eu, labels: {} } });
      expect(await organizations.pin(organizationId('nobody'), { labels })).to.equal(null);
    });

    it('have settings, empty at first, that are replaced as a whole', async () => {
      expect(await metadata.organizations.findSettings(ACME)).to.equal(null);
      expect(await rejectionOf(metadata.organizations.replaceSettings(ACME, {}))).to.be.instanceOf(
        OrganizationNotFoundError,
      );
      await register(ACME);
      expect(await metadata.organizations.findSettings(ACME)).to.deep.equal({ settings: {}, version: 0 });
      const first = await metadata.organizations.replaceSettings(ACME, { bb: null, a: [1, '$1 ?'] });
      expect(first.version).to.equal(1);
      expect(JSON.stringify(first)).to.equal(JSON.stringify(await metadata.organizations.findSettings(ACME)));
      const second = await metadata.organizations.replaceSettings(ACME, { b: 'é😀' });
      expect(second).to.deep.equal({ settings: { b: 'é😀' }, version: 2 });
      expect(await metadata.organizations.findSettings(ACME)).to.deep.equal({
        settings: { b: 'é😀' },
        version: 2,
      });
      expect(await metadata.organizations.findSettingsForUpdate(ACME)).to.deep.include({ version: 2 });
    });

    it('move from the status that is expected, and from no other', async () => {
      const { organizations } = metadata;
      expect(await organizations.moveStatus(ACME, 'active', 'suspended')).to.equal(false);
      await register(ACME);
      expect(await organizations.moveStatus(ACME, 'suspended', 'active')).to.equal(false);
      expect(await organizations.moveStatus(ACME, 'active', 'suspended')).to.equal(true);
      expect(await organizations.find(ACME)).to.include({ status: 'suspended' });
    });

    it('are under controls when they are suspended, or have settings that the service acts on', async () => {
      const { organizations } = metadata;
      const [a, b, c] = [organizationId('a'), organizationId('b'), organizationId('c')];
      await register(a, b, c);
      await organizations.replaceSettings(a, { theme: 'dark' });
      // What they keep beside those is nobody's business, and may be large.
      await organizations.replaceSettings(b, { max_connections: 2, theme: 'dark' });
      await organizations.moveStatus(c, 'active', 'suspended');
      const ofB = { organizationId: b, status: 'active', settings: { max_connections: 2 } };
      const ofC = { organizationId: c, status: 'suspended', settings: {} };
      expect(await organizations.listControls(null)).to.have.deep.members([ofB, ofC]);
      expect(await organizations.listControls([a, c])).to.deep.equal([ofC]);
    });
  });

  describe('the records of results databases', () => {
    it('are looked up with the organization, which need not have a database', async () => {
      expect(await ledger.find(ACME)).to.equal(null);
      expect(await ledger.findForAccess(ACME)).to.equal(null);
      await register(ACME);
      expect(await ledger.findForAccess(ACME)).to.deep.equal({ status: 'active', record: null });
      await addDatabase(ACME, 'ready');
      const record = await ledger.find(ACME);
      expect(record).to.include({ organizationId: ACME, state: 'ready', generation: 1, schemaVersion: 1 });
      expect(await ledger.findForAccess(ACME)).to.deep.equal({ status: 'active', record });
    });

    it('stay as they are when the organization is suspended: its status alone says so', async () => {
      await register(ACME);
      await addDatabase(ACME, 'ready');
      const record = await ledger.find(ACME);
      await metadata.organizations.moveStatus(ACME, 'active', 'suspended');
      expect(await ledger.findForAccess(ACME)).to.deep.equal({ status: 'suspended', record });
      await metadata.organizations.moveStatus(ACME, 'suspended', 'active');
      expect(await ledger.findForAccess(ACME)).to.deep.equal({ status: 'active', record });
    });

    it('are listed and counted by state', async () => {
      expect(await ledger.countByState()).to.deep.equal(new Map());
      const ids = ['a', 'b', 'c', 'd', 'e'].map((id) => organizationId(id));
      await register(...ids);
      for (const [index, id] of ids.entries()) {
        await addDatabase(id, DATABASE_STATES[index % DATABASE_STATES.length] ?? 'ready');
      }
      const counts = Object.fromEntries(DATABASE_STATES.map((state) => [state, 1]));
      expect(await ledger.countByState()).to.deep.equal(
        new Map([[DEFAULT_SERVER, { ...counts, provisioning: 2 }]]),
      );
      const [a, b] = ids;
      if (a === undefined || b === undefined) throw new Error('no ids');
      const found = await ledger.findOnServer(DEFAULT_SERVER, [a, b, organizationId('nobody')]);
      expect(found.map((record) => record.organizationId)).to.have.members([a, b]);
      expect(await ledger.findOnServer(parseServerId('eu'), [a, b])).to.deep.equal([]);
      const list = async (state: (typeof DATABASE_STATES)[number] | null) =>
        (await inPages((page) => ledger.list({ state }, page))).map((record) => record.organizationId);
      expect(await list(null)).to.deep.equal(ids);
      expect(await list('provisioning')).to.deep.equal(['a', 'e']);
      for (const [index, state] of (['ready', 'failed', 'retiring'] as const).entries())
        expect(await list(state)).to.deep.equal([ids[index + 1]]);
    });
  });

  describe('the audit trail', () => {
    const event = (index: number, organization = ACME) => ({
      organizationId: organization,
      userId: index % 2 === 0 ? 'user-1' : null,
      action: index % 3 === 0 ? 'job.moved' : 'job.submitted',
      entityType: 'job',
      entityId: `${index}`,
      details: { index, text: `$1 ? 'é😀'` },
      requestId: null,
    });

    it('keeps no more of the details of an entry than a reader can use', async () => {
      const names = Array.from({ length: 50_000 }, (_, n) => `a name ${n}`);
      for (const details of [
        { keys: names },
        { keys: ['x'.repeat(900_000)] },
        { before: Object.fromEntries(names.map((name) => [name, name])), after: {} },
        { deep: names.slice(0, 500).map((name) => ({ [name]: [{ name }] })) },
        { unicode: ['\u{1f4a9}'.repeat(300_000), '"'.repeat(300_000)] },
      ])
        await metadata.auditLog.append({ ...event(0), details });
      const { items } = await metadata.auditLog.list(ACME, { action: null }, { limit: 10, after: null });
      expect(items).to.have.length(5);
      for (const { details } of items) {
        expect(details.text.length).to.be.below(16_384);
        expect(details.toJSON()).to.include({ is_cut: true });
      }
    });

    it('is listed newest first, in pages, per organization and action', async () => {
      for (let i = 0; i < 10; i += 1) await metadata.auditLog.append(event(i));
      await metadata.auditLog.append(event(99, BETA));
      const list = async (action: string | null, limit: number): Promise<readonly string[]> => {
        const seen: string[] = [];
        let after: AuditKey | null = null;
        do {
          const page: { items: readonly { entityId: string }[]; next: AuditKey | null } =
            await metadata.auditLog.list(ACME, { action }, { limit, after });
          seen.push(...page.items.map(({ entityId }) => entityId));
          after = page.next;
          // What is added meanwhile comes before the first page.
          if (seen.length < 4) await metadata.auditLog.append(event(100 + seen.length));
        } while (after !== null);
        return seen;
      };
      expect(await list(null, 3)).to.deep.equal(['9', '8', '7', '6', '5', '4', '3', '2', '1', '0']);
      expect((await list('job.moved', 50)).filter((id) => id.length === 1)).to.deep.equal([
        '9',
        '6',
        '3',
        '0',
      ]);
      const [entry] = (await metadata.auditLog.list(BETA, { action: null }, { limit: 5, after: null })).items;
      expect({ ...entry, details: entry?.details.toJSON() }).to.deep.include(event(99, BETA));
      expect(entry?.at).to.be.instanceOf(Date);
    });

    it('of what concerns no single organization is a list of its own', async () => {
      await metadata.auditLog.append({ ...event(1), organizationId: null, address: '192.0.2.1' });
      await metadata.auditLog.append(event(2));
      const list = async (id: OrganizationId | null) =>
        (await metadata.auditLog.list(id, { action: null }, { limit: 5, after: null })).items;
      expect((await list(null)).map(({ entityId, address }) => [entityId, address])).to.deep.equal([
        ['1', '192.0.2.1'],
      ]);
      expect((await list(ACME)).map(({ entityId, address }) => [entityId, address])).to.deep.equal([
        ['2', null],
      ]);
    });

    it('is narrowed down by who, what, which request and when, in one trail or in all', async () => {
      const at = (n: number, fields: object = {}) => metadata.auditLog.append({ ...event(n), ...fields });
      await at(1, { userId: 'ada', requestId: 'r-1' });
      await at(2, { userId: 'eve', requestId: 'r-1', organizationId: null });
      await at(3, { userId: 'ada', requestId: 'r-2', organizationId: BETA });
      const page = { limit: 5, after: null };
      const list = async (scope: TrailScope, filter: Partial<AuditFilter>): Promise<readonly string[]> =>
        (await metadata.auditLog.list(scope, { action: null, ...filter }, page)).items.map(
          ({ entityId }) => entityId,
        );
      expect(await list(EVERY_TRAIL, {})).to.deep.equal(['3', '2', '1']);
      expect(await list(EVERY_TRAIL, { userId: 'ada' })).to.deep.equal(['3', '1']);
      expect(await list(EVERY_TRAIL, { requestId: 'r-1' })).to.deep.equal(['2', '1']);
      expect(await list(EVERY_TRAIL, { entityId: '2' })).to.deep.equal(['2']);
      expect(await list(ACME, { requestId: 'r-1' })).to.deep.equal(['1']);
      expect(await list(null, { userId: 'ada' })).to.deep.equal([]);
      expect(
        await list(EVERY_TRAIL, { userId: 'ada', requestId: 'r-2', entityId: '3', action: 'job.moved' }),
      ).to.deep.equal(['3']);
      const [newest] = (await metadata.auditLog.list(EVERY_TRAIL, { action: null }, page)).items;
      const moment = newest?.at ?? new Date();
      const later = new Date(moment.getTime() + 1);
      expect(await list(EVERY_TRAIL, { from: later })).to.deep.equal([]);
      expect(await list(EVERY_TRAIL, { to: later })).to.deep.equal(['3', '2', '1']);
      expect(await list(EVERY_TRAIL, { from: moment })).to.include('3');
      expect(await list(EVERY_TRAIL, { to: moment })).not.to.include('3');
    });

    it('of what was rolled back holds nothing', async () => {
      await rejectionOf(
        metadata.transaction(async ({ auditLog, organizations }) => {
          await organizations.insert({ id: ACME, name: 'x' });
          await auditLog.append(event(1));
          throw new Error('changed my mind');
        }),
      );
      const { items } = await metadata.auditLog.list(ACME, { action: null }, { limit: 5, after: null });
      expect(items).to.be.empty;
      expect(await metadata.organizations.find(ACME)).to.equal(null);
    });
  });
};

for (const subject of METADATA) {
  describe(`the metadata ${subject.name}`, function () {
    this.timeout(60_000);
    keepsMetadata(subject);
  });
}
