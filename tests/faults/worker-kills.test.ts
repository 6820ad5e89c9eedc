import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import { BOX, ligandOf, RECEPTOR, STAND_IN } from '../support/fakes/running-worker.ts';
import { fetchBytes } from '../support/fetch-bytes.ts';
import { until } from '../support/gate.ts';
import { HttpService } from '../support/http-service.ts';
import { Random } from '../support/random.ts';

const ENTRY = fileURLToPath(new URL('../../infrastructure/bin/mad.cjs', import.meta.url));
const SEED = Number(process.env['TEST_WORKER_SEED'] ?? Date.now() % 4_294_967_296);
const JOBS = 30;
const KILLS = 3;
/** A worker says a line when it is ready, when it claims and when it ends a job: so many jobs take sixty. */
const MOST_LINES = 14;

describe('a worker with two slots that is killed again and again', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let service: HttpService;
  let folder: string;
  let running: ChildProcess | null = null;

  before(async () => {
    deployment = await createDeployment();
    await deployment.register('alpha');
    service = await HttpService.running(deployment.start(), ['alpha']);
    folder = await mkdtemp(join(tmpdir(), 'mad-worker-kills-'));
  });
  after(async () => {
    running?.kill('SIGKILL');
    await service.close();
    await deployment.dispose();
    await rm(folder, { recursive: true, force: true });
  });

  const inAlpha = <Row>(sql: string): Promise<readonly Row[]> =>
    deployment.administer<Row>(sql, [], deployment.databaseName('alpha'));
  const upload = async (text: string): Promise<string> => {
    const token = deployment.token('alpha', ['member']);
    const { body } = await fetchBytes(`${service.url}/files`, { token, method: 'POST', body: text });
    return `sha256:${String(body?.['sha256'])}`;
  };
  const start = (): ChildProcess => {
    running = spawn(process.execPath, [ENTRY, 'worker'], {
      cwd: folder,
      env: {
        PATH: `${dirname(process.execPath)}:/usr/bin:/bin`,
        TMPDIR: folder,
        WORKER_SERVICE_URL: service.url,
        WORKER_TOKEN: deployment.token('alpha', ['worker']),
        WORKER_VINA: STAND_IN,
        WORKER_SLOTS: '2',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    return running;
  };

  it('leaves every job completed, once, with one result and one set of files', async () => {
    const random = new Random(SEED);
    const member = service.as(deployment.token('alpha', ['member']));
    const file = await upload(RECEPTOR);
    const ligand = { file: await upload(ligandOf('fine')) };
    const batch = await member.post('/job-batches', {
      engine: 'vina',
      inputs: { receptor: { file }, ligand },
      params: BOX,
      max_attempts: KILLS + 1,
      items: Array.from({ length: JOBS }, (_, seed) => ({ inputs: {}, params: { seed: seed + 1 } })),
    });
    expect(batch.status, batch.text).to.equal(201);

    for (let kill = 0; kill < KILLS; kill += 1) {
      const worker = start();
      const exited = once(worker, 'exit');
      let lines = 1 + random.below(MOST_LINES);
      if (worker.stdout === null) throw new Error('it has a pipe');
      createInterface(worker.stdout).on('line', () => {
        lines -= 1;
        if (lines === 0) worker.kill('SIGKILL');
      });
      await exited;
      // Its leases would lapse by themselves, after two minutes.
      await inAlpha(
        `update job_attempts set expires_at = now() - interval '1 second' where ended_at is null`,
      );
    }
    start().stdout?.resume();
    const statuses = () =>
      inAlpha<{ status: string; jobs: number }>(
        'select status, count(*)::int as jobs from docking_jobs group by status',
      );
    const seed = `seed ${SEED}`;
    await until(`every job has ended (${seed})`, async () =>
      (await statuses()).every(({ status }) => ['COMPLETED', 'FAILED'].includes(status)),
    );
    expect(await statuses(), seed).to.deep.equal([{ status: 'COMPLETED', jobs: JOBS }]);
    const [made] = await inAlpha<Record<string, number>>(
      `select count(*) filter (where outcome = 'COMPLETED')::int as completed,
         count(distinct job_id) filter (where outcome = 'COMPLETED')::int as jobs,
         count(*) filter (where outcome is distinct from 'COMPLETED' and outcome is distinct from 'LOST')::int as others,
         (select count(*) from task_results)::int as results,
         (select count(*) from artifacts)::int as artifacts,
         (select count(*) from job_scores)::int as scores
       from job_attempts`,
    );
    const each = { completed: JOBS, jobs: JOBS, results: JOBS, artifacts: 2 * JOBS, scores: JOBS };
    expect(made, seed).to.deep.equal({ ...each, others: 0 });
    const told = async (): Promise<readonly string[]> => {
      const path = '/events?after=0&types=job.completed&limit=200';
      const { body } = await member.get<{ items: readonly { job_id: string }[] }>(path);
      return body.items.map(({ job_id: id }) => id);
    };
    await until('every completion is told', async () => (await told()).length >= JOBS);
    expect(new Set(await told()).size, seed).to.equal((await told()).length);
  });
});
