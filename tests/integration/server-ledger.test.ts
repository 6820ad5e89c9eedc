import { expect } from 'chai';
import { KnexServerLedger } from '../../adapters/knex/metadata/knex-server-ledger.ts';
import { DEFAULT_SERVER, parseServerId } from '../../domain/databases/server.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { createDeployment, type Deployment } from '../support/deployment.ts';

const EU = parseServerId('eu');

describe('the ledger of servers', function () {
  this.timeout(60_000);
  let deployment: Deployment;

  before(async () => {
    deployment = await createDeployment();
  });
  after(() => deployment.dispose());

  it('gives a cluster to the name that comes first, also when the other one is identified at the same moment', async () => {
    const database = deployment.start().get(TOKENS.metadataSql);
    const other = new KnexServerLedger(database);
    await other.register([EU]);
    let identified = 0;
    const ledger = new KnexServerLedger({
      query: async (query) => {
        const rows = await database.query(query);
        if (query.name === 'server_release_cluster' && identified < 2) {
          identified += 1;
          expect(await other.identify(EU, '42')).to.equal(null);
        }
        return rows;
      },
    });
    expect(await ledger.identify(DEFAULT_SERVER, '42', [EU])).to.equal(null);
    expect(identified).to.equal(2);
    expect(await other.identify(EU, '42')).to.equal(DEFAULT_SERVER);
    const known = (await ledger.list()).map(({ serverId, systemIdentifier }) => [serverId, systemIdentifier]);
    expect(known).to.deep.equal([
      [DEFAULT_SERVER, '42'],
      [EU, null],
    ]);
  });
});
