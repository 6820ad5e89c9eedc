import { expect } from 'chai';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { relayEntries } from '../support/relay-entries.ts';
import { startChildService, type ChildService } from '../support/child-service.ts';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import { until } from '../support/gate.ts';

/** The whole measure is 50: it takes a minute and a half on two cores. */
const KILLS = Number(process.env['TEST_AUDIT_KILLS'] ?? 5);
const WRITES_PER_KILL = 100;
const WRITES = KILLS * WRITES_PER_KILL;
const ORGANIZATIONS = ['acme', 'beta', 'gamma'] as const;
const WRITERS = 12;
const TIMES = { gatherMs: 20, restMs: 200, repeatMs: 200, silentForMs: 1500, reclaimEveryMs: 300 };

describe('processes that are killed while they write', function () {
  this.timeout(60_000 + KILLS * 20_000);
  let deployment: Deployment;

  before(async () => {
    deployment = await createDeployment({ DB_CONNECTION_BUDGET: '12' });
    await deployment.register(...ORGANIZATIONS);
  });
  after(() => deployment.dispose());

  const start = (): Promise<ChildService> => startChildService(deployment.environment, null, TIMES);
  const rowsOf = <Row>(text: string, databaseName: string): Promise<readonly Row[]> =>
    deployment.administer<Row>(text, [], databaseName);
  const hintsOf = (organizationId: string) =>
    rowsOf(
      `select engine, waiting from work_hints where org_id = '${organizationId}'`,
      deployment.metadataDatabase,
    );
  const cutMetadata = () =>
    deployment.administer('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [
      deployment.metadataDatabase,
    ]);

  it('lose no acknowledged write, and leave exactly one audit entry for every row', async () => {
    const living = [await start(), await start()];
    const acknowledged = new Map<string, string>();
    let killed = 0;
    let failed = 0;
    let turn = 0;
    /** Writers rest while a process starts: what they would write meanwhile is in nobody's way. */
    let started: Promise<unknown> = Promise.resolve();

    const write = async (): Promise<void> => {
      turn += 1;
      const organizationId = ORGANIZATIONS[turn % ORGANIZATIONS.length] ?? 'acme';
      const child = living[turn % living.length];
      try {
        const id = await child?.call({ do: 'write', organizationId, submittedBy: `write ${turn}` });
        acknowledged.set(String(id), organizationId);
      } catch {
        // Killed under it, or cut off from the metadata: nobody was told that it was written.
        failed += 1;
      }
    };
    const writer = async (): Promise<void> => {
      while (acknowledged.size < WRITES || killed < KILLS) {
        await started;
        await write();
      }
    };
    const killer = async (): Promise<void> => {
      for (; killed < KILLS; killed += 1) {
        const starting = start();
        started = starting;
        const next = await starting;
        await until(
          'there is something to lose',
          () => acknowledged.size >= (killed + 1) * WRITES_PER_KILL,
          60_000,
        );
        const [victim] = living.splice(killed % living.length, 1, next);
        await victim?.kill();
        if (killed % 5 === 4) await cutMetadata();
      }
    };
    try {
      await Promise.all([killer(), ...Array.from({ length: WRITERS }, writer)]);
    } finally {
      await Promise.all(living.map((child) => child.kill()));
    }
    expect(acknowledged.size).to.be.at.least(WRITES);
    expect(failed, 'writes under way when a process was killed').to.be.greaterThan(0);

    // None of those is alive any more. Another process finds what they have left.
    const survivor = deployment.start();
    const stop = relayEntries(survivor, TIMES);
    await until(
      'nothing is announced any more',
      async () => (await rowsOf('select from audit_backlogs', deployment.metadataDatabase)).length === 0,
      30_000,
    );
    await stop();

    for (const organizationId of ORGANIZATIONS) {
      const databaseName = deployment.databaseName(organizationId);
      const rows = await rowsOf<{ job_id: string }>(
        'select job_id from docking_jobs order by 1',
        databaseName,
      );
      const jobs = rows.map(({ job_id: id }) => id);
      const entries = await rowsOf<{ entity_id: string }>(
        `select entity_id from audit_logs where org_id = '${organizationId}' and action = 'job.submitted' order by 1`,
        deployment.metadataDatabase,
      );
      expect(
        entries.map(({ entity_id: id }) => id),
        'one entry for every row',
      ).to.deep.equal(jobs);
      expect(await rowsOf('select from audit_outbox', databaseName)).to.be.empty;
      expect(await hintsOf(organizationId), 'one hint, which counts every row once').to.deep.equal([
        { engine: 'vina', waiting: jobs.length },
      ]);
      const known = new Set(jobs);
      const lost = [...acknowledged].filter(([id, of]) => of === organizationId && !known.has(id));
      expect(lost, 'acknowledged and lost').to.be.empty;
    }
    for (const report of await survivor.get(TOKENS.auditChains).verify(null)) {
      expect(report.broken).to.equal(null);
    }
  });

  it('between the commit of a job and the delivery of its entry leave its hint to another process', async () => {
    await deployment.register('delta');
    // It announces what it writes, and comes to nothing else.
    const child = await startChildService(deployment.environment, null, { ...TIMES, gatherMs: 3_600_000 });
    try {
      await child.call({ do: 'write', organizationId: 'delta', submittedBy: 'user-1' });
    } finally {
      await child.kill();
    }
    expect(await hintsOf('delta')).to.deep.equal([]);

    const stop = relayEntries(deployment.start(), TIMES);
    await until('the hint is set', async () => (await hintsOf('delta')).length > 0);
    await stop();
    expect(await hintsOf('delta')).to.deep.equal([{ engine: 'vina', waiting: 1 }]);
  });
});
