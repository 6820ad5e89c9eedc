import { expect } from 'chai';
import type { ServerLedger } from '../../application/ports/databases/server-ledger.ts';
import { DEFAULT_SERVER, parseServerId } from '../../domain/databases/server.ts';
import { SERVERS, type Subject } from './subjects.ts';

const [EU, US] = [parseServerId('eu'), parseServerId('us')];
const FRESH = {
  status: 'active',
  weight: 100,
  maxDatabases: null,
  databases: 0,
  labels: {},
  systemIdentifier: null,
} as const;

const keepsServers = (subject: Subject<ServerLedger>): void => {
  let ledger: ServerLedger;

  before(() => subject.open());
  after(() => subject.close());
  beforeEach(async () => {
    ledger = await subject.empty();
  });

  it('are recorded once, as active, beside the default one', async () => {
    expect(await ledger.list()).to.deep.equal([{ serverId: DEFAULT_SERVER, ...FRESH }]);
    expect(await ledger.register([DEFAULT_SERVER, US, EU])).to.have.members([EU, US]);
    expect(await ledger.register([EU, US])).to.deep.equal([]);
    expect(await ledger.list()).to.deep.equal(
      [DEFAULT_SERVER, EU, US].map((serverId) => ({ serverId, ...FRESH })),
    );
  });

  it('keep what an operator said of them when they are registered again', async () => {
    await ledger.register([EU]);
    await ledger.change(EU, { status: 'draining', weight: 7 });
    await ledger.register([EU]);
    expect((await ledger.list()).find(({ serverId }) => serverId === EU)).to.include({
      status: 'draining',
      weight: 7,
    });
  });

  it('are changed in what is said, and stay as they are in the rest', async () => {
    await ledger.register([EU]);
    expect(await ledger.change(EU, { status: 'draining', weight: 300 })).to.deep.equal({
      serverId: EU,
      ...FRESH,
      status: 'draining',
      weight: 300,
    });
    expect(await ledger.change(EU, { maxDatabases: 5, labels: { region: 'eu' } })).to.deep.include({
      status: 'draining',
      weight: 300,
      maxDatabases: 5,
      labels: { region: 'eu' },
    });
    expect(await ledger.change(EU, {})).to.deep.include({ maxDatabases: 5, labels: { region: 'eu' } });
    expect(await ledger.change(EU, { maxDatabases: null, labels: {} })).to.deep.include({
      maxDatabases: null,
      labels: {},
    });
    expect(await ledger.change(US, { weight: 1 }), 'which there is not').to.equal(null);
  });

  it('say which cluster they are, and two are never the same one', async () => {
    await ledger.register([EU, US]);
    expect(await ledger.identify(EU, '7001')).to.equal(null);
    expect(await ledger.identify(EU, '7001'), 'again').to.equal(null);
    expect(await ledger.identify(US, '7001')).to.equal(EU);
    const identifiers = async () => (await ledger.list()).map(({ systemIdentifier }) => systemIdentifier);
    expect(await identifiers(), 'nothing is changed').to.deep.equal([null, '7001', null]);
    expect(await ledger.identify(US, '7002')).to.equal(null);
    // Behind the name is another cluster now.
    expect(await ledger.identify(EU, '7003')).to.equal(null);
    expect(await ledger.identify(US, '7001')).to.equal(null);
    expect(await identifiers()).to.deep.equal([null, '7003', '7001']);
  });
};

for (const subject of SERVERS) {
  describe(`The servers of results databases, ${subject.name},`, function () {
    this.timeout(60_000);
    keepsServers(subject);
  });
}
