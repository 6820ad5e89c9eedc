import { expect } from 'chai';
import type { DatabaseLedger } from '../../application/ports/databases/database-ledger.ts';
import type { ProvisioningLedger } from '../../application/ports/databases/provisioning-ledger.ts';
import { DATABASE_STATES, isHalfMade, statesBefore } from '../../domain/databases/results-database.ts';
import { DEFAULT_SERVER } from '../../domain/databases/server.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { rejectionOf } from '../support/gate.ts';

const ACME = organizationId('acme');

describe('The ledger of results databases', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let ledger: DatabaseLedger & ProvisioningLedger;

  before(async () => {
    deployment = await createDeployment();
    await deployment.register('acme');
    ledger = deployment.start().get(TOKENS.databaseLedger);
  });
  after(() => deployment.dispose());

  const write = (state: string): Promise<unknown> =>
    deployment.administer(
      `insert into organization_databases (org_id, database_name, state, stamp, schema_version)
       values ('acme', 'mad_results_acme', $1, gen_random_uuid(), 1)
       on conflict (org_id) do update set state = excluded.state`,
      [state],
      deployment.metadataDatabase,
    );
  const state = async () => (await ledger.find(ACME))?.state;

  for (const from of DATABASE_STATES) {
    const fails = statesBefore('failed').includes(from);
    it(`${fails ? 'calls' : 'never calls'} a database failed that is ${from}`, async () => {
      await write(from);
      await ledger.fail(ACME, 'mad_results_acme', 'disk full');
      expect(await state()).to.equal(fails ? 'failed' : from);
    });

    it(`${isHalfMade(from) ? 'completes' : 'never completes'} a database that is ${from}`, async () => {
      await write(from);
      const stamp = (await ledger.find(ACME))?.stamp ?? '';
      const spare = {
        spareId: stamp,
        serverId: DEFAULT_SERVER,
        databaseName: 'spare',
        templateHash: 'hash',
        schemaVersion: 2,
      };
      const record = await ledger.complete(ACME, spare, 'clone');
      expect(record?.schemaVersion ?? null).to.equal(isHalfMade(from) ? 2 : null);
      expect(await state()).to.equal(isHalfMade(from) ? 'ready' : from);
    });

    it(`retires a database that is ${from}`, async () => {
      await write(from);
      await ledger.beginRetirement(ACME);
      expect(await state()).to.equal('retiring');
    });
  }

  it('retires no database that it does not know', async () => {
    expect(await rejectionOf(ledger.beginRetirement(organizationId('nobody')))).to.be.instanceOf(Error);
  });
});
