import { expect } from 'chai';
import type { ReconcileOptions } from '../../application/databases/reconcile.ts';
import type { Finding } from '../../application/ports/databases/database-upkeep.ts';
import { DatabaseProvisioningError } from '../../domain/exceptions.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { rejectionOf, until } from '../support/gate.ts';
import { startHttpProcess, type HttpProcess } from '../support/http-process.ts';
import { ALL_JOBS, sampleJob } from '../support/sample-job.ts';
import { send } from '../support/send.ts';

const ACME = organizationId('acme');
const LOOK: ReconcileOptions = { dryRun: false, quarantineForeign: false };

describe('two deployments on one server, with the same names for their databases', function () {
  this.timeout(90_000);
  let first: Deployment;
  let second: Deployment;
  const processes: HttpProcess[] = [];

  beforeEach(async () => {
    first = await createDeployment({ DB_SPARES_MIN: '1', DB_SPARES_MAX: '1' });
    second = await createDeployment({
      DB_RESULTS_DB_TEMPLATE: first.environment['DB_RESULTS_DB_TEMPLATE'] ?? '',
      DB_SPARES_MIN: '1',
      DB_SPARES_MAX: '1',
    });
    await first.register('acme', 'beta');
  });
  afterEach(async () => {
    await Promise.all(processes.splice(0).map((one) => one.dispose()));
    // Its databases have the names of the first one's.
    await second.dispose();
    await first.dispose();
  });

  const write = async (deployment: Deployment, id: string, submittedBy: string): Promise<void> => {
    const { database, release } = await deployment
      .start()
      .get(TOKENS.connectionManager)
      .acquire(organizationId(id));
    await database.jobs.insert(sampleJob({ submittedBy })).finally(release);
  };
  const jobsOf = async (deployment: Deployment, id: string): Promise<readonly string[]> => {
    const { database, release } = await deployment
      .start()
      .get(TOKENS.connectionManager)
      .acquire(organizationId(id));
    const { items } = await database.jobs.list(...ALL_JOBS).finally(release);
    return items.map(({ submittedBy }) => submittedBy);
  };
  const reconcile = async (deployment: Deployment, options = LOOK): Promise<readonly Finding[]> =>
    (await deployment.start().get(TOKENS.reconcileDatabases)(options)).findings;

  /** A process that has looked at the server, as each does when it starts. */
  const startAndLook = async (deployment: Deployment): Promise<string> => {
    const started = await startHttpProcess({ ...deployment.environment, LOG_LEVEL: 'info' });
    processes.push(started);
    const url = await started.listening();
    await until('it has reconciled', () => started.stdout().includes('results databases reconciled'), 20_000);
    return url;
  };
  const askForJobs = async (url: string, deployment: Deployment, id: string): Promise<number> => {
    const { status } = await send(url, 'GET', '/jobs', { token: deployment.token(id, ['member']) });
    return status;
  };

  /** What a look could have changed. */
  const standing = (): Promise<readonly unknown[]> =>
    first.administer(
      `select datname, datallowconn, shobj_description(oid, 'pg_database') as comment from pg_database
       where datname = any($1) order by 1`,
      [namesOfFirst],
    );
  let namesOfFirst: readonly string[] = [];

  const commentOn = async (id: string): Promise<string> => {
    const [row] = await first.administer<{ comment: string }>(
      `select shobj_description(oid, 'pg_database') as comment from pg_database where datname = $1`,
      [first.databaseName(id)],
    );
    return row?.comment ?? '';
  };
  /** As an earlier release wrote it. */
  const stampAsBefore = async (id: string): Promise<void> => {
    const record = await first.start().get(TOKENS.databaseLedger).find(organizationId(id));
    await first.administer(
      `comment on database "${first.databaseName(id)}" is 'mad:${id}:${record?.stamp}:${record?.generation}'`,
    );
  };

  it('another-deployment-on-the-server-is-left-alone: both start, and both keep serving', async () => {
    await write(first, 'acme', 'of the first');
    const one = await startAndLook(first);
    expect(await askForJobs(one, first, 'acme')).to.equal(200);
    await first.start().get(TOKENS.spareKeeper).refill();
    namesOfFirst = await first.databases();
    const before = await standing();

    const two = await startAndLook(second);
    expect(await askForJobs(one, first, 'acme'), 'the first, after the second has started').to.equal(200);
    expect(await askForJobs(one, first, 'beta'), 'a new organization of the first').to.equal(200);
    await second.register('gamma');
    expect(await askForJobs(two, second, 'gamma')).to.equal(200);
    const another = await startAndLook(first);
    expect(await askForJobs(two, second, 'gamma'), 'the second, after the first has started').to.equal(200);
    expect(await askForJobs(another, first, 'acme')).to.equal(200);
    const unchanged = namesOfFirst.filter((name) => !name.startsWith('spare.'));
    const after = await standing();
    expect(after).to.deep.include.members(before.filter((row) => unchanged.includes(Object(row).datname)));
  });

  it('another-deployment-on-the-server-is-left-alone: whatever an operator of the other one asks for', async () => {
    await write(first, 'acme', 'of the first');
    await first.start().get(TOKENS.spareKeeper).refill();
    await second.register('acme');
    namesOfFirst = await first.databases();
    const before = await standing();

    expect(await rejectionOf(write(second, 'acme', 'of the second'))).to.be.instanceOf(
      DatabaseProvisioningError,
    );
    const seen = {
      kind: 'foreign',
      serverId: 'default',
      database: first.databaseName('acme'),
      organizationId: 'acme',
      action: 'reported',
    };
    for (const quarantineForeign of [false, true]) {
      const findings = await reconcile(second, { dryRun: false, quarantineForeign });
      expect(findings.filter(({ kind }) => kind !== 'half-made')).to.deep.equal([seen]);
    }
    const process = second.start();
    const [retire, adopt] = [process.get(TOKENS.retireDatabase), process.get(TOKENS.adoptDatabase)];
    expect(String(await rejectionOf(retire(ACME)))).to.match(/another deployment/);
    expect(String(await rejectionOf(adopt(ACME)))).to.match(/another deployment/);

    expect(await standing()).to.deep.equal(before);
    expect(await jobsOf(first, 'acme')).to.deep.equal(['of the first']);

    // Its own metadata database is lost, and the operator says so.
    await adopt(ACME, { from: first.databaseName('acme'), takeOver: true });
    expect(await jobsOf(second, 'acme')).to.deep.equal(['of the first']);
  });

  it('a copy of the metadata under an id of its own drops no spare and no template of the original', async () => {
    await first.start().get(TOKENS.spareKeeper).refill();
    namesOfFirst = await first.databases();
    const before = await standing();
    for (const table of ['results_templates', 'spare_databases']) {
      const rows = await first.administer<{ row: unknown }>(
        `select to_jsonb(t) as row from ${table} t`,
        [],
        first.metadataDatabase,
      );
      for (const { row } of rows) {
        await second.administer(
          `insert into ${table} select * from jsonb_populate_record(null::${table}, $1)`,
          [row],
          second.metadataDatabase,
        );
      }
    }
    await second.administer(
      `update results_templates set last_used_at = now() - interval '1 day'`,
      [],
      second.metadataDatabase,
    );
    // Forgets the spares in the first run, and then the template that no spare needs any more.
    for (let run = 0; run < 2; run += 1) await second.start().get(TOKENS.spareKeeper).refill();
    expect(
      await second.administer('select database_name from results_templates', [], second.metadataDatabase),
      'forgotten',
    ).to.have.length(1);
    expect(await standing()).to.deep.equal(before);
  });

  it('at a start nothing is put aside and nothing dropped, whatever the metadata says', async () => {
    await write(first, 'acme', 'user-1');
    await first.start().get(TOKENS.spareKeeper).refill();
    namesOfFirst = await first.databases();
    const before = await standing();
    await first.administer('delete from organization_databases', [], first.metadataDatabase);
    await first.administer('delete from spare_databases', [], first.metadataDatabase);

    const options = { ...LOOK, resumeOnly: true };
    const findings = await reconcile(first, options);
    expect(findings.map(({ kind, action }) => `${kind} ${action}`)).to.have.members([
      'orphan reported',
      'stale-spare reported',
    ]);
    expect(await standing()).to.deep.equal(before);
    expect((await reconcile(first)).map(({ action }) => action)).to.have.members(['quarantined', 'dropped']);
  });

  describe('a database that an earlier release stamped', () => {
    it('is served, left alone at a start, and stamped anew at an operator’s word', async () => {
      await write(first, 'acme', 'user-1');
      const today = await commentOn('acme');
      await stampAsBefore('acme');
      expect(await jobsOf(first, 'acme')).to.deep.equal(['user-1']);
      expect(await reconcile(first, { ...LOOK, resumeOnly: true })).to.be.empty;

      expect(await reconcile(first)).to.deep.equal([
        {
          kind: 'old-stamp',
          serverId: 'default',
          database: first.databaseName('acme'),
          organizationId: 'acme',
          action: 'stamped',
        },
      ]);
      expect(await commentOn('acme')).to.equal(today);
      expect(await reconcile(first)).to.be.empty;
      expect(await jobsOf(first, 'acme')).to.deep.equal(['user-1']);
    });

    it('is not put aside by a deployment that does not know it', async () => {
      await write(first, 'acme', 'user-1');
      await stampAsBefore('acme');
      await second.register('acme');
      await rejectionOf(write(second, 'acme', 'user-2'));
      const findings = await reconcile(second);
      expect(findings.map(({ kind, action }) => `${kind} ${action}`)).to.include('foreign reported');
      expect(String(await rejectionOf(second.start().get(TOKENS.retireDatabase)(ACME)))).to.match(/another/);
      expect(await jobsOf(first, 'acme')).to.deep.equal(['user-1']);
    });

    it('means nothing when the rest of its stamp is not the recorded one', async () => {
      await write(first, 'acme', 'user-1');
      await first.administer(
        `comment on database "${first.databaseName('acme')}" is 'mad:acme:00000000-0000-0000-0000-000000000000:1'`,
      );
      expect(String(await rejectionOf(jobsOf(first, 'acme')))).to.match(/not the one on record/);
    });
  });
});
