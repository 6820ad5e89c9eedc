import { expect } from 'chai';
import type { ServerLedger } from '../../application/ports/databases/server-ledger.ts';
import { DEFAULT_SERVER, parseServerId } from '../../domain/databases/server.ts';
import { organizationId } from '../support/deployment.ts';
import { METADATA, type MetadataSubject, type Subject } from './subjects.ts';

const [EU, US] = [parseServerId('eu'), parseServerId('us')];
const FRESH = {
  status: 'active',
  weight: 100,
  maxDatabases: null,
  databases: 0,
  labels: {},
  systemIdentifier: null,
};

const keepsServers = (subject: Subject<MetadataSubject>): void => {
  let all: MetadataSubject;
  let ledger: ServerLedger;

  before(() => subject.open());
  after(() => subject.close());
  beforeEach(async () => {
    all = await subject.empty();
    ledger = all.metadata.serverLedger;
  });

  it('knows the default server from the start', async () => {
    expect(await ledger.list()).to.deep.equal([{ serverId: DEFAULT_SERVER, ...FRESH }]);
  });

  it('records new servers as active, each once, and lists them by id', async () => {
    expect(await ledger.register([US, DEFAULT_SERVER, EU])).to.have.members([US, EU]);
    await ledger.change(EU, { status: 'draining' });
    expect(await ledger.register([EU, US])).to.deep.equal([]);
    expect((await ledger.list()).map(({ serverId, status }) => [serverId, status])).to.deep.equal([
      [DEFAULT_SERVER, 'active'],
      [EU, 'draining'],
      [US, 'active'],
    ]);
    expect(await ledger.register([])).to.deep.equal([]);
  });

  it('finds a server, or null', async () => {
    await ledger.register([EU]);
    expect(await ledger.find(EU)).to.deep.equal({ serverId: EU, ...FRESH });
    expect(await ledger.find(US)).to.equal(null);
  });

  it('changes what is given, and nothing else', async () => {
    await ledger.register([EU]);
    const labels = { region: 'eu', tier: '$1 ?' };
    expect(await ledger.change(EU, { weight: 50, labels })).to.deep.equal({
      serverId: EU,
      ...FRESH,
      weight: 50,
      labels,
    });
    expect(await ledger.change(EU, { status: 'disabled', maxDatabases: 0 })).to.deep.include({
      status: 'disabled',
      weight: 50,
      maxDatabases: 0,
      labels,
    });
    expect(await ledger.change(EU, {})).to.deep.include({ maxDatabases: 0, labels });
    const changed = await ledger.change(EU, { maxDatabases: null, labels: {} });
    expect(changed).to.deep.include({ maxDatabases: null, labels: {}, status: 'disabled' });
    expect(await ledger.find(EU)).to.deep.equal(changed);
    expect(await ledger.find(DEFAULT_SERVER)).to.deep.equal({ serverId: DEFAULT_SERVER, ...FRESH });
  });

  it('changes no server that there is not', async () => {
    expect(await ledger.change(EU, { weight: 1 })).to.equal(null);
    expect(await ledger.list()).to.have.length(1);
  });

  it('keeps which cluster a server is, and tells one cluster under two names', async () => {
    await ledger.register([EU]);
    expect(await ledger.identify(EU, '42')).to.equal(null);
    expect(await ledger.identify(EU, '42')).to.equal(null);
    expect(await ledger.identify(DEFAULT_SERVER, '42')).to.equal(EU);
    expect((await ledger.list()).map(({ systemIdentifier }) => systemIdentifier)).to.deep.equal([null, '42']);
    expect(await ledger.identify(EU, '43'), 'another cluster has the address now').to.equal(null);
    expect(await ledger.identify(DEFAULT_SERVER, '42')).to.equal(null);
  });

  it('keeps the latest timeline that a cluster was seen to write', async () => {
    await ledger.register([EU]);
    expect(await ledger.noteTimeline(EU, '42', 3)).to.equal(3);
    expect(await ledger.noteTimeline(EU, '42', 5)).to.equal(5);
    expect(await ledger.noteTimeline(EU, '42', 4), 'a server that was replaced').to.equal(5);
    expect(await ledger.noteTimeline(EU, '43', 1), 'another cluster begins anew').to.equal(1);
    expect(await ledger.noteTimeline(DEFAULT_SERVER, '43', 2)).to.equal(2);
  });

  it("counts organizations' databases on their servers", async () => {
    const acme = organizationId('acme');
    await all.metadata.organizations.insert({ id: acme, name: 'Acme' });
    await all.addDatabase(acme, 'ready');
    expect(await ledger.find(DEFAULT_SERVER)).to.include({ databases: 1 });
    expect(await ledger.change(DEFAULT_SERVER, { weight: 7 })).to.include({ databases: 1 });
  });
};

for (const subject of METADATA) {
  describe(`the ledger of servers ${subject.name}`, function () {
    this.timeout(60_000);
    keepsServers(subject);
  });
}
