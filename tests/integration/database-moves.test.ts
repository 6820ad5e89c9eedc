import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import type { DatabaseLedger } from '../../application/ports/databases/database-ledger.ts';
import type { ProvisioningLedger } from '../../application/ports/databases/provisioning-ledger.ts';
import { DATABASE_STATES, isHalfMade, statesBefore } from '../../domain/databases/results-database.ts';
import { DEFAULT_SERVER } from '../../domain/databases/server.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { refreshLedger } from '../../infrastructure/knex-command/command-target.ts';
import { DatabaseUrl } from '../../infrastructure/postgres/database-url.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';

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
  const recorded = async () => {
    const found = await ledger.find(ACME);
    if (found === null) throw new Error('there is no record');
    return found;
  };
  const state = async () => (await recorded()).state;

  for (const from of DATABASE_STATES) {
    const fails = statesBefore('failed').includes(from);
    it(`${fails ? 'calls' : 'never calls'} a database failed that is ${from}`, async () => {
      await write(from);
      await ledger.fail(await recorded(), 'disk full');
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
      expect(await ledger.beginRetirement(await recorded())).to.equal(true);
      expect(await state()).to.equal('retiring');
    });
  }

  it('retires no database that it does not know', async () => {
    const unknown = { organizationId: organizationId('nobody'), stamp: null, generation: 1 };
    expect(await ledger.beginRetirement(unknown)).to.equal(false);
  });

  it('takes no schema version from a command that has migrated an earlier database of the name', async () => {
    await write('ready');
    const { stamp, schemaVersion } = await recorded();
    const server = DatabaseUrl.parse(deployment.environment['DB_DATABASE_URL'] ?? '');
    const target = {
      url: server.withDatabase('mad_results_acme'),
      metadataUrl: server.withDatabase(deployment.metadataDatabase),
      organizationId: ACME,
    };
    await refreshLedger({ ...target, stamp: randomUUID() }, 7);
    expect(await recorded()).to.include({ schemaVersion });
    await refreshLedger({ ...target, stamp }, 7);
    expect(await recorded()).to.include({ schemaVersion: 7 });
  });

  for (const other of ['generation', 'stamp'] as const) {
    it(`changes nothing for who has seen a database of another ${other}`, async () => {
      await write('provisioning');
      const before = await recorded();
      const seen = { ...before, ...(other === 'stamp' ? { stamp: randomUUID() } : { generation: 7 }) };
      // A stamp is never given twice: an attempt that fails names the database by it alone.
      if (other === 'stamp') await ledger.fail(seen, 'too late');
      await ledger.noteError(seen, 'missing');
      expect(await ledger.beginRetirement(seen)).to.equal(false);
      expect(await recorded()).to.deep.equal(before);

      await ledger.beginRetirement(before);
      const retiring = await recorded();
      await ledger.completeRetirement(seen, 'aside');
      expect(await recorded()).to.deep.equal(retiring);
    });
  }
});
