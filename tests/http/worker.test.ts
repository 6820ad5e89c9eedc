import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { OrganizationRole } from '../../domain/identity/role.ts';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import { FakeLogger } from '../support/fakes/fake-logger.ts';
import { BOX, ligandOf, RECEPTOR, ShortWaits, startWorker } from '../support/fakes/running-worker.ts';
import { until } from '../support/gate.ts';
import type { Job } from '../support/http-contract.ts';
import { HttpService, type Caller } from '../support/http-service.ts';

interface Items<Item> {
  readonly items: readonly Item[];
}
interface TaskResult {
  readonly service_version: string;
  readonly poses: readonly { readonly affinity_kcal_mol: number }[];
  readonly suspect: readonly string[];
}
interface Artifact {
  readonly artifact_id: string;
  readonly name: string;
}
interface Attempt {
  readonly outcome: string | null;
  readonly error: { readonly code: string } | null;
  readonly log_tail: string | null;
}

describe('A worker at the service', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let service: HttpService;
  let member: Caller;
  let folder: string;
  let worker: { end(): Promise<void> } | null = null;
  const log = new FakeLogger();

  before(async () => {
    deployment = await createDeployment();
    service = await HttpService.start(deployment, ['alpha']);
    await deployment.register('alpha');
    member = as('member');
  });
  after(async () => {
    await service.close();
    await deployment.dispose();
  });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mad-test-worker-'));
  });
  afterEach(async () => {
    await endWorker();
    await rm(folder, { recursive: true });
  });

  const tokenOf = (role: OrganizationRole): string => deployment.token('alpha', [role]);
  const as = (role: OrganizationRole): Caller => service.as(tokenOf(role));
  const start = async (): Promise<void> => {
    const credentials = { kind: 'token', token: tokenOf('worker') } as const;
    worker = await startWorker({ url: service.url, credentials, folder, log, wait: new ShortWaits().wait });
  };
  const endWorker = async (): Promise<void> => {
    await worker?.end();
    worker = null;
  };

  const upload = async (text: string): Promise<string> => {
    const response = await fetch(`${service.url}/files`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${tokenOf('member')}`, 'Content-Type': 'chemical/x-pdbqt' },
      body: text,
    });
    expect(response.status).to.be.oneOf([200, 201]);
    const { sha256 } = (await response.json()) as { readonly sha256: string }; // as documented
    return `sha256:${sha256}`;
  };
  const submit = async (scene: string, query = ''): Promise<Job> => {
    const inputs = {
      receptor: { file: await upload(RECEPTOR), name: '../../受体 "final".pdbqt' },
      ligand: { file: await upload(ligandOf(scene)), name: '-o.pdbqt' },
    };
    const { status, body } = await member.post<Job>(`/jobs${query}`, { engine: 'vina', inputs, params: BOX });
    expect(status).to.equal(201);
    return body;
  };
  const jobOf = async ({ job_id }: Job): Promise<Job> => (await member.get<Job>(`/jobs/${job_id}`)).body;
  const untilIs = async (job: Job, status: string): Promise<Job> => {
    await until(
      () => `the job is ${status}: ${JSON.stringify(log.lines.slice(-5))}`,
      async () => (await jobOf(job)).status === status,
    );
    return jobOf(job);
  };
  const attemptsOf = async ({ job_id }: Job): Promise<readonly Attempt[]> =>
    (await member.get<Items<Attempt>>(`/jobs/${job_id}/attempts`)).body.items;
  const reached = (): Promise<void> => until('the engine runs', () => existsSync(join(folder, 'reached')));

  it('docks a job from its files to its poses, and the cache answers for the same files under other names', async () => {
    const job = await submit('fine');
    await start();
    await untilIs(job, 'COMPLETED');
    const { body: results } = await member.get<Items<TaskResult>>(`/jobs/${job.job_id}/task-results`);
    const [result] = results.items;
    expect(result?.service_version).to.equal('AutoDock Vina v1.2.3');
    expect(result?.poses.map((pose) => pose.affinity_kcal_mol)).to.deep.equal([-8]);
    expect(result?.suspect).to.deep.equal([]);
    const { body: artifacts } = await member.get<Items<Artifact>>(`/jobs/${job.job_id}/artifacts`);
    expect(artifacts.items.map(({ name }) => name)).to.have.members(['poses.pdbqt', 'vina.log']);
    const poses = artifacts.items.find(({ name }) => name === 'poses.pdbqt')?.artifact_id;
    const content = await fetch(`${service.url}/jobs/${job.job_id}/artifacts/${poses}/content`, {
      headers: { Authorization: `Bearer ${tokenOf('member')}` },
    });
    expect(await content.text()).to.match(/^MODEL 1\nREMARK VINA RESULT: +-8\.000/);
    await endWorker();
    const again = await submit('fine', '?use_cache=true');
    expect(again.cache).to.include({ hit: true, canonical_job_id: job.job_id });
  });

  it('says in the attempt what the engine said when it failed', async () => {
    const job = await submit('crash');
    await start();
    expect((await untilIs(job, 'FAILED')).error_code).to.equal('engine_error');
    const [attempt] = await attemptsOf(job);
    expect(attempt).to.deep.include({ outcome: 'FAILED' });
    expect(attempt?.log_tail).to.match(/PDBQT parsing error: no such atom$/);
  });

  it('has a job wait for another attempt when the engine was killed', async () => {
    const job = await submit('killed');
    await start();
    await until('the attempt has ended', async () => (await attemptsOf(job))[0]?.outcome === 'FAILED');
    expect((await attemptsOf(job))[0]?.error?.code).to.equal('out_of_memory_or_killed');
    expect(await jobOf(job)).to.include({ status: 'PENDING', attempt: 1 });
  });

  it('tells how far it is, and ends its engine when the job is canceled', async () => {
    const job = await submit(`gated ${folder}`);
    await start();
    await reached();
    await until('the job tells a third', async () => (await jobOf(job)).progress?.fraction === 17 / 51);
    await member.post('/jobs/cancel', { job_ids: [job.job_id] });
    await until('the engine has ended', () =>
      log.lines.some(({ fields }) => 'interruption' in fields && fields.interruption === 'canceled'),
    );
    expect((await jobOf(job)).status).to.equal('CANCELED');
    expect((await attemptsOf(job)).map(({ outcome }) => outcome)).to.deep.equal(['CANCELED']);
  });

  it('gives a job back when it is stopped, and the next worker does it in the same attempt', async () => {
    const job = await submit(`gated ${folder}`);
    await start();
    await reached();
    await endWorker();
    expect(await jobOf(job)).to.include({ status: 'PENDING', attempt: 0 });
    await writeFile(join(folder, 'open'), '');
    await start();
    expect(await untilIs(job, 'COMPLETED')).to.include({ attempt: 1 });
  });

  it('fails a job whose parameters no docking has, with their place', async () => {
    const inputs = {
      receptor: { file: await upload(RECEPTOR) },
      ligand: { file: await upload(ligandOf('fine')) },
    };
    const params = { ...BOX, config: '/etc/passwd' };
    const { body: job } = await member.post<Job>('/jobs', { engine: 'vina', inputs, params });
    await start();
    const failed = await untilIs(job, 'FAILED');
    expect(failed).to.include({ error_code: 'unsupported_input' });
    expect(failed.error).to.include('"config"');
  });
});
