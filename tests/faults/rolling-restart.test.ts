import { randomUUID } from 'node:crypto';
import { Agent } from 'node:http';
import { expect } from 'chai';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import { EventClient } from '../support/event-client.ts';
import { until } from '../support/gate.ts';
import type { AuditEntry, Job, Page } from '../support/http-contract.ts';
import { needsProgram, startNginx, type MiddleProgram } from '../support/programs.ts';
import { RollingProcess } from '../support/rolling-process.ts';
import { send, type CallOptions, type Method, type Reply } from '../support/send.ts';

const JOB = { engine: 'vina', inputs: { ligand: 'CCO' } };
const LANES = 4;

describe('Two processes behind nginx with the site that operators are given', function () {
  this.timeout(120_000);
  let deployment: Deployment;
  let processes: readonly [RollingProcess, RollingProcess];
  let nginx: MiddleProgram;
  let client: EventClient | null = null;
  const agent = new Agent({ keepAlive: true });

  before(async function () {
    needsProgram(this, 'nginx');
    deployment = await createDeployment();
    await deployment.register('alpha');
    const settings = { ...deployment.environment, TRUSTED_PROXIES: '1', SHUTDOWN_DELAY_MS: '3000' };
    processes = [await RollingProcess.start(settings), await RollingProcess.start(settings)];
    nginx = await startNginx([processes[0].url, processes[1].url]);
  });
  after(async () => {
    client?.close();
    agent.destroy();
    await nginx?.stop();
    for (const one of processes ?? []) await one.dispose();
    await deployment?.dispose();
  });

  const member = (): string => deployment.token('alpha', ['member', 'org_admin']);
  const call = <Body>(method: Method, path: string, options: CallOptions = {}): Promise<Reply<Body>> =>
    send(`http://127.0.0.1:${nginx.port}`, method, path, { token: member(), ...options }, agent);
  const submit = (key: string): Promise<Reply<Job>> =>
    call('POST', '/jobs', { body: JOB, headers: { 'Idempotency-Key': key } });

  /** One client: one request after another until it is told to stop. */
  const lane = async (isOver: () => boolean, made: Set<string>, failures: string[]): Promise<void> => {
    const note = ({ status, text }: Reply<unknown>): unknown =>
      status >= 300 && failures.push(`${status} ${text}`);
    const failed = (error: unknown): unknown => failures.push(String(error));
    while (!isOver()) {
      const key = randomUUID();
      await submit(key).then((reply) => {
        note(reply);
        made.add(reply.body?.job_id);
      }, failed);
      for (const path of ['/jobs?limit=1', '/campaigns?limit=1']) await call('GET', path).then(note, failed);
      await call('POST', '/files', {
        body: Buffer.from(key),
        headers: { 'content-type': 'text/plain' },
      }).then(note, failed);
    }
  };

  it('are restarted one after the other under load: no request fails, no job is made twice, no event is missed', async () => {
    const failures: string[] = [];
    const made = new Set<string>();
    let isOver = false;
    client = new EventClient(`http://127.0.0.1:${nginx.port}/events`, member());
    await until('the stream is open', () => client?.isOpen === true);
    const lanes = Array.from({ length: LANES }, () => lane(() => isOver, made, failures));

    try {
      for (const one of processes) {
        const before = made.size;
        await one.restart();
        expect(made.size, 'served meanwhile').to.be.above(before);
      }
    } finally {
      isOver = true;
      await Promise.all(lanes);
    }

    expect(failures).to.deep.equal([]);
    const rows = await deployment.administer<{ id: string }>(
      'select job_id::text as id from docking_jobs',
      [],
      deployment.databaseName('alpha'),
    );
    expect(new Set(rows.map(({ id }) => id))).to.deep.equal(made);
    const told = (): readonly string[] =>
      (client?.events ?? []).flatMap(({ type, job_id }) => (type === 'job.submitted' ? [job_id ?? ''] : []));
    await until('all jobs were told', () => told().length >= made.size);
    expect(told().toSorted()).to.deep.equal([...made].toSorted());
    expect(client?.attempts.length, 'the stream ended with its process').to.be.above(1);
  });

  it('take files and tokens of the size that the service takes, know who asks, and keep their metrics to themselves', async () => {
    // nginx’s own limits are 1 MiB for a body and 8 KiB for a header.
    const file = await call<{ size_bytes: number }>('POST', '/files', {
      body: Buffer.alloc(3 << 20),
      headers: { 'content-type': 'application/octet-stream' },
    });
    expect([file.status, file.body.size_bytes]).to.deep.equal([201, 3 << 20]);
    const token = deployment.token('alpha', ['org_admin'], { pad: 'x'.repeat(5945) });
    expect(token.length).to.be.within(8170, 8192);
    expect((await call('GET', '/jobs', { token })).status).to.equal(200);

    const forged = { 'x-forwarded-for': '203.0.113.9' };
    const made = await call('POST', '/campaigns', { body: { name: 'whose' }, headers: forged });
    expect(made.status, made.text).to.equal(201);
    let addresses: readonly (string | null)[] = [];
    await until('the trail has it', async () => {
      const path = '/organizations/alpha/audit-logs?action=campaign.created';
      addresses = (await call<Page<AuditEntry>>('GET', path)).body.items.map(({ address }) => address);
      return addresses.length > 0;
    });
    expect(addresses).to.deep.equal(['127.0.0.1']);

    expect((await call('GET', '/metrics')).status).to.equal(404);
  });
});
