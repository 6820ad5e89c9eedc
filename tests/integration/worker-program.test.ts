import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { FakeWorkService } from '../support/fakes/fake-work-service.ts';
import { until } from '../support/gate.ts';
import { needsProgram } from '../support/programs.ts';
import { isAlive } from '../support/fakes/process-state.ts';
import { BOX, ligandOf, RECEPTOR, STAND_IN } from '../support/fakes/running-worker.ts';

const ENTRY = fileURLToPath(new URL('../../infrastructure/bin/mad.cjs', import.meta.url));
describe('npm run worker', function () {
  this.timeout(30_000);
  let folder: string;
  let service: FakeWorkService;
  const children: ChildProcess[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mad-worker-program-'));
    service = await FakeWorkService.start();
  });
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    await service.stop();
    await rm(folder, { recursive: true });
    expect(service.violations).to.deep.equal([]);
  });

  const start = (environment: Readonly<Record<string, string>> = {}): ChildProcess => {
    const child = spawn(process.execPath, [ENTRY, 'worker'], {
      cwd: folder,
      env: {
        PATH: `${dirname(process.execPath)}:/usr/bin:/bin`,
        HOME: folder,
        TMPDIR: folder,
        WORKER_SERVICE_URL: service.url,
        WORKER_KEY: 'acme-key',
        WORKER_VINA: STAND_IN,
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.push(child);
    return child;
  };
  const outcomeOf = async (child: ChildProcess) => {
    const { stdout, stderr } = child;
    if (stdout === null || stderr === null) throw new Error('it has pipes');
    const [[status], out, err] = await Promise.all([once(child, 'close'), text(stdout), text(stderr)]);
    return { status, stdout: out, stderr: err };
  };
  const submitSlow = (): string => {
    const receptor = service.store(RECEPTOR);
    const ligand = service.store(ligandOf(`slow ${folder}`));
    return service.submit({
      inputs: { receptor: { file: receptor }, ligand: { file: ligand } },
      params: BOX,
    });
  };
  const enginePids = async (): Promise<readonly number[]> => {
    await until('the engine runs', () => existsSync(join(folder, 'reached')));
    return readFileSync(join(folder, 'pids'), 'utf8').trim().split(' ').map(Number);
  };

  const REFUSED: readonly (readonly [what: string, Readonly<Record<string, string>>, RegExp])[] = [
    [
      'no Vina',
      { WORKER_VINA: '/nowhere/vina' },
      /^\/nowhere\/vina cannot be run: .*apt-get install autodock-vina/,
    ],
    ['another program for Vina', { WORKER_VINA: '/bin/cat' }, /^\/bin\/cat is no AutoDock Vina: /],
    ['no credentials', { WORKER_KEY: '' }, /^WORKER_KEY is not set; .*docs\/worker\.md/],
    [
      'a service that is none',
      { WORKER_SERVICE_URL: 'ftp://mad' },
      /^WORKER_SERVICE_URL holds a text of 9 characters; it takes/,
    ],
    [
      'a key that the service refuses',
      { WORKER_KEY: 'wrong' },
      /^The service refuses the worker: .*unauthenticated/,
    ],
  ];
  for (const [what, environment, sentence] of REFUSED) {
    it(`ends with one sentence where there is ${what}`, async () => {
      const { status, stderr } = await outcomeOf(start(environment));
      expect(stderr)
        .to.match(sentence)
        .and.to.match(/^[^\n]+\n$/);
      expect(status).to.equal(1);
    });
  }

  it('gives its jobs back at a signal, ends their engines, and ends well', async () => {
    const jobId = submitSlow();
    const child = start();
    const outcome = outcomeOf(child);
    const pids = await enginePids();
    child.kill('SIGTERM');
    const { status, stdout, stderr } = await outcome;
    expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' });
    expect(stdout).not.to.include('acme-key');
    expect(service.releases).to.deep.equal([{ jobId, reason: 'shutdown' }]);
    expect(pids.filter(isAlive)).to.deep.equal([]);
    expect((await readdir(folder)).filter((name) => name.startsWith('mad-worker-'))).to.deep.equal([]);
  });

  describe('killed with -9', () => {
    before(function () {
      needsProgram(this, 'setpriv');
    });

    it('leaves no engine behind that nobody waits for', async () => {
      submitSlow();
      const child = start();
      const [engine = 0] = await enginePids();
      child.kill('SIGKILL');
      await until('the engine has ended', () => !isAlive(engine));
      expect(service.releases).to.deep.equal([]);
    });
  });
});
