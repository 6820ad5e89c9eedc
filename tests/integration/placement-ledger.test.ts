import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import type {
  ChoosePlacement,
  Claim,
  PlacementOffer,
  ProvisioningLedger,
} from '../../application/ports/databases/provisioning-ledger.ts';
import type { DatabaseLedger } from '../../application/ports/databases/database-ledger.ts';
import type { ServerLedger } from '../../application/ports/databases/server-ledger.ts';
import type { SpareLedger } from '../../application/ports/databases/spare-ledger.ts';
import { NoServerAvailableError } from '../../domain/databases/errors.ts';
import { choosePlacement } from '../../domain/databases/placement-policy.ts';
import { DEFAULT_SERVER, parseServerId, type ServerId } from '../../domain/databases/server.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { rejectionOf } from '../support/gate.ts';

const EU = parseServerId('eu');
const [ACME, BETA] = [organizationId('acme'), organizationId('beta')];

const on =
  (serverId: ServerId): ChoosePlacement =>
  () =>
    serverId;

/** As the service chooses, always the first two. */
const byPolicy: ChoosePlacement = (servers, pin) => {
  const choice = choosePlacement({ servers, pin, random: () => 0 });
  if ('refused' in choice) throw new NoServerAvailableError(choice.refused);
  return choice.serverId;
};

describe('the ledger of databases on two servers', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let ledger: DatabaseLedger & ProvisioningLedger;
  let servers: ServerLedger;
  let spares: SpareLedger;

  beforeEach(async () => {
    deployment = await createDeployment();
    await deployment.register(ACME, BETA);
    const container = deployment.start();
    ledger = container.get(TOKENS.databaseLedger);
    servers = container.get(TOKENS.serverLedger);
    spares = container.get(TOKENS.spareLedger);
    await servers.register([EU]);
  });
  afterEach(() => deployment.dispose());

  const metadata = <Row>(sql: string): Promise<readonly Row[]> =>
    deployment.administer<Row>(sql, [], deployment.metadataDatabase);

  const offer = (id: OrganizationId, serverId: ServerId): PlacementOffer => {
    const spareId = randomUUID();
    const fresh = {
      spareId,
      serverId,
      databaseName: `spare.${spareId}`,
      templateHash: `of ${serverId}`,
      schemaVersion: 3,
    };
    return { databaseName: `${serverId}_${id}`, fresh };
  };
  const claim = async (
    id: OrganizationId,
    choose: ChoosePlacement,
    offered: readonly ServerId[] = [DEFAULT_SERVER, EU],
  ): Promise<Claim> => {
    const claimed = await ledger.claim(
      id,
      offered.map((serverId) => offer(id, serverId)),
      choose,
    );
    if (claimed.spare === null) throw new Error('there was nothing to make');
    return claimed;
  };
  /** Organizations' databases by server, as the counter has it. */
  const counts = async (): Promise<Readonly<Record<string, number>>> =>
    Object.fromEntries((await servers.list()).map(({ serverId, databases }) => [serverId, databases]));
  const adoption = () => ({
    databaseName: 'acme',
    from: 'theirs',
    stamp: randomUUID(),
    schemaVersion: 3,
  });
  const addSpare = async (serverId: ServerId): Promise<string> => {
    const { fresh } = offer(ACME, serverId);
    await spares.plan(fresh, { min: 9, max: 9 });
    await spares.markReady(fresh.spareId);
    return fresh.spareId;
  };

  it('places a database on the server that was chosen, under its name there', async () => {
    const { record, spare, ready } = await claim(ACME, on(EU));
    expect(record).to.include({ serverId: EU, databaseName: 'eu_acme', state: 'provisioning' });
    expect(spare).to.include({ serverId: EU, templateHash: 'of eu' });
    expect(ready).to.equal(false);
    expect(await ledger.find(ACME)).to.include({
      serverId: EU,
      databaseName: 'eu_acme',
      stamp: spare.spareId,
    });
    expect(await claim(ACME, on(DEFAULT_SERVER)), 'the next request resumes it').to.deep.equal({
      record,
      spare,
      ready: false,
    });
  });

  it('chooses by what is recorded of the servers that are offered, and of the organization', async () => {
    await servers.change(EU, { weight: 7, labels: { region: 'eu' } });
    await metadata(`update organizations set pinned_server_id = 'eu', pinned_labels = '{"region": "eu"}'
      where org_id = 'acme'`);
    const seen: unknown[] = [];
    await claim(ACME, (offered, pin) => {
      seen.push(
        offered.map(({ serverId, weight }) => [serverId, weight]),
        pin,
      );
      return EU;
    });
    expect(seen).to.deep.equal([
      [
        [DEFAULT_SERVER, 100],
        [EU, 7],
      ],
      { serverId: EU, labels: { region: 'eu' } },
    ]);
  });

  it('gives a spare of the chosen server, and never one of another', async () => {
    const [ofDefault, ofEu] = [await addSpare(DEFAULT_SERVER), await addSpare(EU)];
    const acme = await claim(ACME, on(EU));
    expect([acme.spare.spareId, acme.ready]).to.deep.equal([ofEu, true]);
    const beta = await claim(BETA, on(EU));
    expect(beta.ready, 'there is no other on that server').to.equal(false);
    expect(beta.spare.serverId).to.equal(EU);
    expect((await spares.list()).map(({ spareId }) => spareId)).to.include(ofDefault);
  });

  it('never goes beyond the limit of a server, however many claim at once', async () => {
    const ids = Array.from({ length: 12 }, (_, index) => organizationId(`org-${index}`));
    await deployment.register(...ids);
    await servers.change(DEFAULT_SERVER, { maxDatabases: 4 });
    await servers.change(EU, { maxDatabases: 3 });
    const attempts = await Promise.allSettled(ids.map((id) => claim(id, byPolicy)));
    const refusals = attempts.flatMap((attempt) => (attempt.status === 'rejected' ? [attempt.reason] : []));
    expect(refusals).to.have.length(5);
    for (const refusal of refusals) expect(refusal).to.be.instanceOf(NoServerAvailableError);
    expect(await counts()).to.deep.equal({ default: 4, eu: 3 });
    expect(await metadata('select from organization_databases'), 'nothing of those refused').to.have.length(
      7,
    );
    expect(await metadata('select from spare_databases')).to.have.length(7);
  });

  for (const [why, prepare] of [
    ['full', () => servers.change(DEFAULT_SERVER, { maxDatabases: 0 })],
    ['draining', () => servers.change(DEFAULT_SERVER, { status: 'draining' })],
    ['pinned_elsewhere', () => metadata(`update organizations set pinned_server_id = 'eu'`)],
  ] as const) {
    it(`refuses the only server that is offered, and has a spare, when it is ${why}`, async () => {
      await addSpare(DEFAULT_SERVER);
      await prepare();
      const error = await rejectionOf(claim(ACME, byPolicy, [DEFAULT_SERVER]));
      expect(error).to.be.instanceOf(NoServerAvailableError);
      expect(JSON.stringify(error)).to.include(why);
      expect(await ledger.find(ACME)).to.equal(null);
      expect(await spares.countReady()).to.deep.equal(new Map([[DEFAULT_SERVER, 1]]));
    });
  }

  it('places a claim elsewhere when its server is offered no longer', async () => {
    const first = await claim(ACME, on(EU));
    const second = await claim(ACME, byPolicy, [DEFAULT_SERVER]);
    expect(second.record).to.include({
      serverId: DEFAULT_SERVER,
      databaseName: 'default_acme',
      generation: 1,
    });
    expect(second.record.stamp).to.not.equal(first.record.stamp);
    expect(await counts()).to.deep.equal({ default: 1, eu: 0 });
    const states = await metadata<object>('select server_id, state from spare_databases order by server_id');
    expect(states, 'what was begun is left for dropping').to.deep.equal([
      { server_id: 'default', state: 'building' },
      { server_id: 'eu', state: 'retired' },
    ]);
    expect(await ledger.complete(ACME, first.spare, 'clone'), 'nobody completes the first one').to.equal(
      null,
    );
  });

  it('places a claim elsewhere when the organization is pinned to another server meanwhile', async () => {
    await claim(ACME, on(EU));
    await metadata(`update organizations set pinned_server_id = 'eu' where org_id = 'acme'`);
    expect((await claim(ACME, byPolicy)).record.serverId, 'it is there').to.equal(EU);
    await metadata(`update organizations set pinned_server_id = 'default' where org_id = 'acme'`);
    expect((await claim(ACME, byPolicy)).record).to.include({
      serverId: DEFAULT_SERVER,
      databaseName: 'default_acme',
    });
    expect(await counts()).to.deep.equal({ default: 1, eu: 0 });
  });

  it('places a claim elsewhere when the organization is pinned to labels meanwhile that its server lacks', async () => {
    await claim(ACME, on(EU));
    await servers.change(EU, { labels: { region: 'eu', tier: 'fast' } });
    await servers.change(DEFAULT_SERVER, { labels: { region: 'us' } });
    await metadata(`update organizations set pinned_labels = '{"region": "eu"}' where org_id = 'acme'`);
    expect((await claim(ACME, byPolicy)).record.serverId, 'it has them').to.equal(EU);
    await metadata(`update organizations set pinned_labels = '{"region": "us"}' where org_id = 'acme'`);
    expect((await claim(ACME, byPolicy)).record.serverId).to.equal(DEFAULT_SERVER);
    expect(await counts()).to.deep.equal({ default: 1, eu: 0 });
  });

  it('leaves a database that an operator gave where it is', async () => {
    const adopted = await ledger.recordAdoption(ACME, {
      serverId: EU,
      databaseName: 'eu_acme',
      from: 'theirs',
      stamp: randomUUID(),
      schemaVersion: 3,
    });
    const claimed = await claim(ACME, byPolicy, [DEFAULT_SERVER]);
    expect(claimed).to.deep.equal({ ...adopted, ready: false });
    expect(claimed.record.serverId).to.equal(EU);
    expect(await counts()).to.deep.equal({ default: 0, eu: 1 });
  });

  it('builds a spare that the ledger lost again, on the same server and under the same stamp', async () => {
    const first = await claim(ACME, on(EU));
    await metadata('delete from spare_databases');
    const second = await claim(ACME, byPolicy);
    expect(second.record).to.include({ serverId: EU, stamp: first.record.stamp });
    expect(second.spare).to.include({ spareId: first.spare.spareId, serverId: EU });
  });

  it('counts what each server has: with claims, adoptions and retirements, and not with what else changes', async () => {
    const { spare } = await claim(ACME, on(EU));
    await claim(BETA, on(DEFAULT_SERVER));
    expect(await counts()).to.deep.equal({ default: 1, eu: 1 });
    const made = await ledger.complete(ACME, spare, 'clone');
    if (made === null) throw new Error('the claim was given up');
    await ledger.noteError(made, 'missing');
    await ledger.beginRetirement(made);
    expect(await counts(), 'until it is put aside').to.deep.equal({ default: 1, eu: 1 });
    await ledger.completeRetirement(made, 'retired.1');
    expect(await counts()).to.deep.equal({ default: 1, eu: 0 });
    await ledger.recordAdoption(ACME, { ...adoption(), serverId: DEFAULT_SERVER });
    expect(await counts()).to.deep.equal({ default: 2, eu: 0 });
    await metadata(`delete from organization_databases where org_id = 'acme'`);
    expect(await counts()).to.deep.equal({ default: 1, eu: 0 });
    await claim(ACME, on(EU));
    expect(await counts()).to.deep.equal({ default: 1, eu: 1 });
    await metadata('delete from organization_databases');
    expect(await counts()).to.deep.equal({ default: 0, eu: 0 });
  });

  it('records no adoption on a server while the organization has a database on another one', async () => {
    const { record } = await claim(ACME, on(DEFAULT_SERVER));
    const refused = await ledger.recordAdoption(ACME, { ...adoption(), serverId: EU });
    expect(refused).to.deep.equal({ record, spare: null });
    expect(await ledger.find(ACME)).to.deep.equal(record);
    expect(await counts()).to.deep.equal({ default: 1, eu: 0 });
  });

  it('lists databases and names by server', async () => {
    await claim(ACME, on(EU));
    await claim(BETA, on(DEFAULT_SERVER));
    const page = { limit: 10, after: null };
    for (const [serverId, id] of [
      [EU, ACME],
      [DEFAULT_SERVER, BETA],
    ] as const) {
      const { items } = await ledger.list({ state: null, serverId }, page);
      expect(items.map(({ organizationId: listed }) => listed)).to.deep.equal([id]);
      expect((await spares.list()).filter((spare) => spare.serverId === serverId)).to.have.length(1);
    }
    const ofAllServers = (await spares.list()).map(({ databaseName }) => databaseName);
    expect(await spares.listNames()).to.have.members(ofAllServers);
  });

  it('wants no spares on a server that takes no new databases, and discards those that are there', async () => {
    const template = { hash: 'of eu', serverId: EU, databaseName: 'template.eu', schemaVersion: 3 };
    const demand = { min: 2, max: 2 };
    await spares.touchTemplate(template);
    const spareId = await addSpare(EU);
    const another = offer(ACME, EU).fresh;
    expect(await spares.discardStale(template, demand)).to.be.empty;
    for (const status of ['draining', 'disabled'] as const) {
      await servers.change(EU, { status });
      expect(await spares.plan(another, demand), status).to.equal(null);
      expect((await spares.discardStale(template, demand)).map((spare) => spare.spareId)).to.deep.equal([
        spareId,
      ]);
    }
    await servers.change(EU, { status: 'active' });
    expect(await spares.plan(another, demand)).to.deep.equal(another);
  });
});
