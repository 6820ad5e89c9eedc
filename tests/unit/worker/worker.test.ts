import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { CLOSED, sha256, SILENT, type FakeCompletion } from '../../support/fakes/fake-work-service.ts';
import { isAlive } from '../../support/fakes/process-state.ts';
import { ligandOf, STAND_IN } from '../../support/fakes/running-worker.ts';
import { until } from '../../support/gate.ts';
import { WorkerBench } from './worker-bench.ts';

describe('a worker', () => {
  let bench: WorkerBench;

  beforeEach(async () => {
    bench = await WorkerBench.make();
  });
  afterEach(async () => {
    await bench.end();
    const leftovers = readdirSync(bench.folder).filter(isJobFolder);
    await bench.close();
    expect(bench.service.violations).to.deep.equal([]);
    expect(leftovers).to.deep.equal([]);
  });

  const completionOf = async (jobId: string): Promise<FakeCompletion> => {
    const { completions } = bench.service;
    const find = () => completions.find((each) => each.jobId === jobId);
    await until(
      () => `job ${jobId} is completed: ${JSON.stringify(bench.log.lines.slice(-MAX_LINES))}`,
      () => find() !== undefined,
    );
    const found = find();
    if (found === undefined) throw new Error('it was there');
    return found;
  };
  const reached = (): Promise<void> =>
    until('the engine runs', () => existsSync(join(bench.folder, 'reached')));
  const open = (): void => writeFileSync(join(bench.folder, 'open'), '');
  const pids = (): readonly number[] =>
    readFileSync(join(bench.folder, 'pids'), 'utf8').trim().split(/\s+/).map(Number);

  it('delivers the scores as poses, and the files that the engine wrote', async () => {
    const jobId = bench.submit('fine', { params: { seed: 42, exhaustiveness: 2 } });
    await bench.start();
    const { outcome, task_results, artifacts, error, usage } = await completionOf(jobId);
    expect({ outcome, error }).to.deep.equal({ outcome: 'COMPLETED', error: undefined });
    // On one core, and without the time for files.
    expect(usage.cpu_seconds).to.be.above(0).and.at.most(usage.wall_seconds);
    expect(task_results).to.deep.equal([
      {
        task_name: 'docking',
        service_name: 'autodock-vina',
        service_version: 'AutoDock Vina v1.2.3',
        schema_version: '1',
        result_data: { scoring_function: 'vina', seed: 42 },
        poses: [
          {
            rank: 1,
            affinity_kcal_mol: -8,
            rmsd_lower_bound: 0,
            rmsd_upper_bound: 0,
            intra: -0.5,
            unbound: -0.5,
          },
        ],
        suspect: [],
      },
    ]);
    expect(artifacts.map(({ name, purpose }) => [name, purpose])).to.deep.equal([
      ['poses.pdbqt', 'poses'],
      ['vina.log', 'log'],
    ]);
    const [poses = '', log = ''] = artifacts.map(({ file }) =>
      String(bench.service.files.get(file.slice('sha256:'.length))),
    );
    expect(poses).to.match(/^MODEL 1\n/);
    expect(log).to.include('Performing docking').and.to.include('*'.repeat(51));
  });

  const FAILURES: readonly (readonly [scene: string, code: string, retryable: boolean, message: RegExp])[] = [
    ['crash', 'engine_error', false, /exit code 1: PDBQT parsing error: no such atom$/],
    ['abort', 'engine_error', false, /signal SIGABRT: a line without an end$/],
    ['killed', 'out_of_memory_or_killed', true, /was killed/],
    ['memory', 'out_of_memory_or_killed', true, /limit/],
    ['nothing', 'no_poses', false, /no pose/],
    ['empty', 'no_poses', false, /no pose/],
    ['nan', 'unreadable_output', false, /line 2/],
    ['strange', 'engine_error', false, /^Vina ended with exit code 3: an escape \ufffd\[31m/],
  ];
  for (const [scene, code, retryable, message] of FAILURES) {
    it(`fails a job with ${code} when its engine plays "${scene}", and goes on with the next one`, async () => {
      const [bad, good] = [bench.submit(scene), bench.submit('fine')];
      await bench.start();
      const { outcome, error, task_results, artifacts } = await completionOf(bad);
      expect({ outcome, task_results, artifacts }).to.deep.equal({
        outcome: 'FAILED',
        task_results: [],
        artifacts: [],
      });
      expect(error).to.include({ code, retryable });
      expect(error?.message).to.match(message);
      expect((await completionOf(good)).outcome).to.equal('COMPLETED');
    });
  }

  it('doubts a pose that lacks atoms', async () => {
    const jobId = bench.submit('torn');
    await bench.start();
    const [result] = (await completionOf(jobId)).task_results;
    expect(result?.suspect).to.deep.equal(['fewer_atoms_than_input']);
  });

  it('gives its engine words of its own, none of its credentials, and line feeds alone', async () => {
    const jobId = bench.submit('tell', { ligandText: ligandOf('tell').replaceAll('\n', '\r\n') });
    await bench.start();
    const { log_tail: said = '' } = await completionOf(jobId);
    const [, environment = '', words = ''] =
      /^Performing.*\n((?:\w+\n)+)((?:--.*\n)+)carriage returns: 0$/.exec(said) ?? [];
    const ofTheShell = ['PWD', '_', 'OLDPWD', 'SHLVL'];
    expect(
      environment
        .trim()
        .split('\n')
        .filter((name) => !ofTheShell.includes(name)),
    ).to.have.members(['PATH', 'LC_ALL', 'TMPDIR']);
    expect(words).to.include('--receptor=receptor.pdbqt\n--ligand=ligand.pdbqt\n--out=out.pdbqt\n');
    expect(words).to.match(/^(?:--[a-z_]+=(?:-?[\d.]+|[a-z]+\.pdbqt)\n)+$/);
  });

  it('fails a job whose input comes with other bytes each time, or is not there', async () => {
    const [other, none] = [
      bench.submit('fine', { ligandText: ligandOf('other') }),
      bench.submit('fine', { ligandText: ligandOf('none') }),
    ];
    bench.service.files.set(sha256(ligandOf('other')), Buffer.from(ligandOf('fine')));
    bench.service.files.delete(sha256(ligandOf('none')));
    await bench.start();
    expect((await completionOf(other)).error).to.include({ code: 'input_unavailable', retryable: true });
    expect((await completionOf(none)).error).to.include({ code: 'input_unavailable', retryable: false });
    // The receptor once for each, the one ligand three times.
    expect(bench.service.calls.download).to.equal(2 + 3 + 1);
  });

  it('docks the bytes that it asked for once they come whole', async () => {
    bench.service.trouble('download', { status: 200, text: 'cut o' }, 'hang up', { status: 502 });
    const jobId = bench.submit('fine');
    await bench.start();
    expect((await completionOf(jobId)).outcome).to.equal('COMPLETED');
  });

  const NO_LIGANDS: readonly (readonly [string, string])[] = [
    ['an SDF file', 'imatinib\n  RDKit\n\n 37 41  0  0\n'],
    ['a receptor', 'ATOM      1  C   SER A 438      11.317  66.182  33.926  1.00  0.00     0.244 C \n'],
    ['NUL bytes', ligandOf('fine').replace('UNL', 'U\0L')],
    ['nothing', ' '],
  ];
  for (const [what, ligandText] of NO_LIGANDS) {
    it(`refuses ${what} for a ligand`, async () => {
      const jobId = bench.submit('fine', { ligandText });
      await bench.start();
      expect((await completionOf(jobId)).error).to.include({ code: 'unsupported_input', retryable: false });
    });
  }

  it('gives a job back that its machine cannot do, and waits longer each time before it takes another', async () => {
    const program = join(bench.folder, 'vina');
    copyFileSync(STAND_IN, program);
    const jobs = [1, 2].map(() => bench.submit('fine'));
    await bench.start({ program });
    for (const job of jobs) await completionOf(job);
    rmSync(program);
    const waited = bench.waits.asked.length;
    const faulty = [1, 2, 3, 4].map(() => bench.submit('fine'));
    await until('all are given back', () => bench.service.releases.length === faulty.length);
    expect(bench.service.releases).to.deep.equal(faulty.map((jobId) => ({ jobId, reason: 'cannot_run' })));
    expect(bench.waits.asked.slice(waited).some((ms) => ms > 1000 && ms < 10_000)).to.equal(true);
  });

  it('asks for no third attempt of a job that kills its engine', async () => {
    const jobId = bench.submit('killed', { attempt: 2 });
    await bench.start();
    expect((await completionOf(jobId)).error).to.include({
      code: 'out_of_memory_or_killed',
      retryable: false,
    });
  });

  it('tells how far the engine is, and keeps the lease meanwhile', async () => {
    const jobId = bench.submit(`gated ${bench.folder}`);
    await bench.start();
    await reached();
    await until('a heartbeat tells a third', () =>
      bench.service.progress.some(({ fraction }) => fraction === 17 / 51),
    );
    open();
    expect((await completionOf(jobId)).outcome).to.equal('COMPLETED');
    expect(bench.waits.asked).to.include(10_000);
  });

  for (const state of ['canceled', 'lost'] as const) {
    it(`ends the whole group of an engine that ignores SIGTERM when its job is ${state}, before it takes another`, async () => {
      const jobId = bench.submit(`stubborn ${bench.folder}`);
      await bench.start();
      await reached();
      bench.service.tell(jobId, state);
      const next = bench.submit('fine');
      await completionOf(next);
      expect(pids().filter(isAlive)).to.deep.equal([]);
      expect(bench.service.completions.map((each) => each.jobId)).to.deep.equal([next]);
      expect(bench.service.releases).to.deep.equal([]);
      expect(bench.waits.asked).to.include(5000);
    });
  }

  it('leaves no process behind that an engine started', async () => {
    const jobId = bench.submit(`orphan ${bench.folder}`);
    await bench.start();
    expect((await completionOf(jobId)).outcome).to.equal('COMPLETED');
    expect(pids().filter(isAlive)).to.deep.equal([]);
  });

  it('stops a job that has had its time', async () => {
    const jobId = bench.submit(`stubborn ${bench.folder}`, { maxRuntimeSeconds: 77 });
    await bench.start();
    const { error } = await completionOf(jobId);
    expect(error).to.include({ code: 'runtime_exceeded', retryable: false });
    expect(bench.waits.asked).to.include(77_000);
  });

  it('gives its jobs back when it is stopped, once their engines have ended', async () => {
    const jobId = bench.submit(`stubborn ${bench.folder}`);
    await bench.start();
    await reached();
    await bench.end();
    expect(pids().filter(isAlive)).to.deep.equal([]);
    expect(bench.service.releases).to.deep.equal([{ jobId, reason: 'shutdown' }]);
    expect(bench.service.completions).to.deep.equal([]);
  });

  it('runs as many jobs as it has slots, and claims no more', async () => {
    const jobs = [1, 2, 3].map(() => bench.submit(`gated ${bench.folder}`));
    await bench.start({ slots: 2 });
    await until('two jobs are under way', () => readdirSync(bench.folder).filter(isJobFolder).length === 2);
    await reached();
    expect(bench.service.calls.claim).to.equal(1);
    open();
    for (const job of jobs) await completionOf(job);
  });

  it('sends a completion again until it is answered, and gives up when its lease is gone', async () => {
    const jobId = bench.submit('fine');
    bench.service.trouble(
      'complete',
      'hang up',
      { status: 503, code: 'database_unavailable' },
      { status: 502 },
    );
    await bench.start();
    await completionOf(jobId);
    expect(bench.service.calls.complete).to.equal(4);
    bench.service.trouble('complete', { status: 409, code: 'lease_lost' });
    bench.submit('fine');
    await completionOf(bench.submit('fine'));
    expect(bench.service.completions).to.have.length(2);
    expect(bench.service.releases).to.deep.equal([]);
  });

  it('says so when the service does not take its result', async () => {
    bench.service.trouble('complete', { status: 422, code: 'validation_failed' });
    bench.service.trouble('upload', { status: 429, code: 'quota_exceeded' });
    const [full, odd] = [bench.submit('fine'), bench.submit('fine')];
    await bench.start();
    // The first one has no room for its files; its failure is refused as well, and it is given back.
    await until('the first one is given back', () => bench.service.releases.length === 1);
    expect(bench.service.releases).to.deep.equal([{ jobId: full, reason: 'cannot_run' }]);
    expect((await completionOf(odd)).outcome).to.equal('COMPLETED');
  });

  for (const route of ['download', 'upload', 'complete'] as const)
    it(`fails no job and waits no longer where a suspended organization refuses its ${route}`, async () => {
      bench.service.trouble(route, { status: 403, code: 'organization_suspended' });
      const [left, next] = [bench.submit('fine'), bench.submit('fine')];
      await bench.start();
      expect((await completionOf(next)).outcome).to.equal('COMPLETED');
      expect(bench.service.completions.map(({ jobId }) => jobId)).to.deep.equal([next]);
      expect(bench.service.releases).to.deep.equal([{ jobId: left, reason: 'shutdown' }]);
      expect(bench.log.lines.filter(({ level }) => level === 'error')).to.deep.equal([]);
    });

  it('fails a job whose result has no room in the database', async () => {
    bench.service.trouble('complete', { status: 403, code: 'storage_quota_exceeded' });
    const jobId = bench.submit('fine');
    await bench.start();
    expect((await completionOf(jobId)).error).to.include({ code: 'outputs_refused', retryable: false });
  });

  it('stops though the service takes no result anymore, and gives the job back', async () => {
    const jobId = bench.submit(`gated ${bench.folder}`);
    bench.service.trouble('complete', ...Array.from({ length: 500 }, () => 'hang up' as const));
    await bench.start();
    await reached();
    open();
    await until('a completion failed', () => bench.service.calls.complete > 0);
    await bench.end();
    expect(bench.service.releases).to.deep.equal([{ jobId, reason: 'shutdown' }]);
  });

  it('waits as long as the service asks, when it is benched', async () => {
    bench.service.trouble('claim', { status: 429, code: 'worker_benched', retryAfter: 600 });
    const jobId = bench.submit('fine');
    await bench.start();
    await completionOf(jobId);
    expect(bench.waits.asked.filter((ms) => ms >= 600_000 && ms <= 720_000)).to.have.length(1);
  });

  it('outlives answers that are none', async () => {
    bench.service.trouble(
      'claim',
      { status: 200, text: '<html>' },
      { status: 200, text: '{"items": 7}' },
      'hang up',
    );
    bench.service.trouble('heartbeat', { status: 200, text: 'null' });
    const jobId = bench.submit('fine');
    await bench.start();
    expect((await completionOf(jobId)).outcome).to.equal('COMPLETED');
  });

  it('claims nothing while its heartbeats fail, and goes on when one succeeds', async () => {
    const first = bench.submit(`gated ${bench.folder}`);
    bench.service.trouble('heartbeat', ...Array.from({ length: 20 }, () => 'hang up' as const));
    await bench.start({ slots: 2 });
    await reached();
    // The third one is sent after two have failed.
    await until('heartbeats failed', () => bench.service.calls.heartbeat >= 3);
    const second = bench.submit('fine');
    const { claim } = bench.service.calls;
    await until('more of them failed', () => bench.service.calls.heartbeat >= 10);
    expect(bench.service.calls.claim).to.equal(claim);
    await completionOf(second);
    open();
    await completionOf(first);
  });

  it('gets a new token when the old one is refused, and needs no wait for that', async () => {
    const jobId = bench.submit(`gated ${bench.folder}`);
    await bench.start();
    await reached();
    bench.service.revokeTokens();
    open();
    expect((await completionOf(jobId)).outcome).to.equal('COMPLETED');
    expect(bench.service.calls.token).to.equal(2);
    expect(bench.log.lines.filter(({ level }) => level === 'warn')).to.deep.equal([]);
  });

  describe('of a fleet', () => {
    it('does the jobs of every organization that has some, each with a token of its own', async () => {
      const jobs = ['acme', 'umbra', 'acme'].map((organization) => bench.submit('fine', { organization }));
      await bench.start({ key: 'fleet-key', slots: 3 });
      for (const job of jobs) await completionOf(job);
      expect(bench.service.completions.map(({ organization }) => organization)).to.have.members([
        'acme',
        'acme',
        'umbra',
      ]);
      expect(bench.service.calls.exchange).to.equal(2);
    });

    it('begins what one organization gave while another one does not answer', async () => {
      const given = bench.submit('fine', { organization: 'umbra' });
      const later = bench.submit('fine', { organization: SILENT });
      bench.service.silence('claim');
      await bench.start({ key: 'fleet-key', slots: 2 });
      try {
        expect((await completionOf(given)).outcome).to.equal('COMPLETED');
      } finally {
        bench.service.speak();
      }
      await completionOf(later);
    });

    it('keeps the leases of the others while one organization does not answer', async () => {
      const jobs = ['umbra', SILENT].map((organization) =>
        bench.submit(`gated ${bench.folder}`, { organization }),
      );
      bench.service.silence('heartbeat');
      await bench.start({ key: 'fleet-key', slots: 2 });
      try {
        // One of them waits for its answer.
        await until('the other one sends more', () => bench.service.calls.heartbeat > 5);
      } finally {
        bench.service.speak();
        open();
      }
      for (const job of jobs) await completionOf(job);
    });

    it('goes on with the others when one organization cannot be reached', async () => {
      bench.submit('fine', { organization: CLOSED });
      const job = bench.submit('fine', { organization: 'umbra' });
      await bench.start({ key: 'fleet-key' });
      expect((await completionOf(job)).outcome).to.equal('COMPLETED');
    });
  });
});

/** A message shows no more of the log. */
const MAX_LINES = 8;
const isJobFolder = (name: string): boolean => name.startsWith('mad-worker-');
