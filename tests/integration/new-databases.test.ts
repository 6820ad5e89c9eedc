import { expect } from 'chai';
import { Client } from 'pg';
import { DatabaseProvisioningError } from '../../domain/exceptions.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { DatabaseUrl } from '../../infrastructure/postgres/database-url.ts';
import { newDatabaseOptions } from '../../infrastructure/postgres/new-database.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { rejectionOf } from '../support/gate.ts';
import { ALL_JOBS, sampleJob } from '../support/sample-job.ts';
import { defaultServer } from '../support/servers.ts';
import { SecondServer } from '../support/second-server.ts';

const ACME = organizationId('acme');
/** As a client reads it: lists hold what the database printed. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
/** Has no place in LATIN1. */
const TEXT = 'λιγνίνη 木質素 🧬';

describe('new databases on a server of another encoding', function () {
  this.timeout(60_000);
  let server: SecondServer;
  let deployment: Deployment;
  /** Everybody may connect to `template1`, and a session there keeps it from being copied. */
  let inTemplate: Client;

  before(async () => {
    server = await SecondServer.start();
    const admin = new Client(server.url);
    await admin.connect();
    await admin.query(
      `create database latin template template0 encoding 'LATIN1' locale 'C' is_template true`,
    );
    await admin.query('alter database template1 is_template false');
    await admin.query('drop database template1');
    await admin.query('alter database latin rename to template1');
    await admin.end();
    inTemplate = new Client(DatabaseUrl.parse(server.url).withDatabase('template1').toString());
    await inTemplate.connect();
    deployment = await createDeployment({ DB_SPARES_MIN: '1', DB_SPARES_MAX: '1' }, { url: server.url });
    await deployment.register('acme', 'beta');
  });
  after(async () => {
    await inTemplate.end();
    await deployment.dispose();
    await server.remove();
  });

  it('are all in UTF8, with an order of texts that no version changes, whoever is connected to template1', async () => {
    const container = deployment.start();
    const { database, release } = await container.get(TOKENS.connectionManager).acquire(ACME);
    try {
      await database.jobs.insert(sampleJob({ inputs: { name: TEXT } }));
      const { items } = await database.jobs.list(...ALL_JOBS);
      expect(items.map(({ inputs }) => plain(inputs))).to.deep.equal([{ name: TEXT }]);
    } finally {
      release();
    }
    await container.get(TOKENS.spareKeeper).refill();
    const checks = container.get(TOKENS.fleetChecks);
    expect((await checks.drift(null)).drifted).to.deep.equal([]);
    const made = await deployment.administer<{ name: string; form: string }>(
      `select datname as name, concat_ws(' ', pg_encoding_to_char(encoding), datcollate, datctype, datlocprovider, datlocale) as form
       from pg_database where datname = any($1)`,
      [
        [
          ...(await deployment.databases()),
          deployment.metadataDatabase,
          defaultServer(container).names.administration,
        ],
      ],
    );
    expect(new Set(made.map(({ name }) => name.split('.')[0]))).to.include.members([
      'admin',
      'spare',
      'template',
      deployment.databaseName('acme'),
      deployment.metadataDatabase,
    ]);
    expect(new Set(made.map(({ form }) => form))).to.deep.equal(new Set(['UTF8 C C b C.UTF-8']));
  });

  it('are what an organization is given: one in another encoding is not adopted', async () => {
    const source = deployment.databaseName('latin').replace('_r_', '_r.');
    await deployment.administer(
      `create database "${source}" template template0 encoding 'LATIN1' locale 'C'`,
    );
    const adopt = deployment.start().get(TOKENS.adoptDatabase);
    const refused = await rejectionOf(adopt(organizationId('beta'), { from: source }));
    expect(refused).to.be.instanceOf(DatabaseProvisioningError);
    expect(String(refused)).to.match(/has the encoding LATIN1, and has to have UTF8/);
  });

  for (const [version, provider] of [
    [130_023, ''],
    [140_023, ''],
    [150_020, ' locale_provider libc'],
    [160_014, ' locale_provider libc'],
    [170_010, ` locale_provider builtin builtin_locale 'C.UTF-8'`],
    [180_004, ` locale_provider builtin builtin_locale 'C.UTF-8'`],
  ] as const) {
    it(`leave nothing to the server's defaults that version ${version} can be told`, () => {
      expect(newDatabaseOptions(version)).to.equal(
        `template=template0 encoding 'UTF8' lc_collate 'C' lc_ctype 'C'${provider}`,
      );
    });
  }
});
