import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { expect } from 'chai';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import { until } from '../support/gate.ts';
import type { Job, Page, Problem } from '../support/http-contract.ts';
import { startHttpProcess, type HttpProcess } from '../support/http-process.ts';
import { send, type Reply } from '../support/send.ts';

const JOBS = 200;
const RESULTS = 40;
/** What a page ends at, and the most that a row may exceed it by. */
const MAX_PAGE_BYTES = 4 * 1024 * 1024 + 64 * 1024;
const HEAP_MB = 96;
/** Answers on one connection that nobody reads. */
const UNREAD = 5;

interface TaskResult {
  readonly task_name: string;
}

describe('A process with little memory', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let service: HttpProcess;
  let url: string;
  let jobWithResults: string;

  before(async () => {
    deployment = await createDeployment();
    await deployment.register('alpha', 'beta', 'dense');
    service = await startHttpProcess({
      ...deployment.environment,
      LOG_LEVEL: 'info',
      NODE_OPTIONS: `--max-old-space-size=${HEAP_MB}`,
    });
    url = await service.listening();
    for (const id of ['alpha', 'beta', 'dense']) await get('/jobs', id);
    await seed('alpha', JOBS, `jsonb_build_object('number', number, 'ligand', repeat('x', 1048576))`);
    await deployment.administer(
      `insert into task_results (job_id, task_name, service_name, result_data)
       select job_id, 'part-' || to_char(number, 'FM000'), 'vina', jsonb_build_object('poses', repeat('x', 900000))
       from (select job_id from docking_jobs limit 1) as job, generate_series(1, ${RESULTS}) as number`,
      [],
      deployment.databaseName('alpha'),
    );
    const [row] = await deployment.administer<{ job_id: string }>(
      'select job_id from task_results limit 1',
      [],
      deployment.databaseName('alpha'),
    );
    jobWithResults = row?.job_id ?? '';
    // 309 digits each, from six bytes that were sent.
    await seed(
      'dense',
      4,
      `jsonb_build_object('energies', (select jsonb_agg(1e308::numeric) from generate_series(1, 30000)))`,
    );
  });
  after(async () => {
    await service.dispose();
    await deployment.dispose();
  });

  const seed = (id: string, count: number, inputs: string): Promise<unknown> =>
    deployment.administer(
      `insert into docking_jobs (job_id, status, engine, pipeline_version, inputs, params, priority, input_signature, submitted_by, created_at)
       select gen_random_uuid(), 'PENDING', 'vina', '1.0.0', ${inputs}, '{}', 0, repeat('0', 64), 'user-1',
         now() - number * interval '1 second'
       from generate_series(1, ${count}) as number`,
      [],
      deployment.databaseName(id),
    );
  const get = <Body>(path: string, id = 'alpha'): Promise<Reply<Body>> =>
    send(url, 'GET', path, { token: deployment.token(id, ['member']) });
  /** Asks for more than all buffers on the way hold, and reads nothing. */
  const askOnly = async (path: string): Promise<Socket> => {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    socket.pause();
    const token = deployment.token('alpha', ['member']);
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n\r\n`.repeat(UNREAD));
    return socket;
  };

  it('answers three clients that ask for 200 MiB of jobs each, page by page', async () => {
    const replies = await Promise.all([1, 2, 3].map(() => get<Page<Job>>(`/jobs?limit=${JOBS}`)));
    for (const { status, text, body } of replies) {
      expect(status).to.equal(200);
      expect(text.length).to.be.within(1024 * 1024, MAX_PAGE_BYTES);
      expect(body.items.map(({ inputs }) => inputs['number'])).to.deep.equal([1, 2, 3]);
    }
    const next = await get<Page<Job>>(`/jobs?limit=${JOBS}&cursor=${replies[0]?.body.next_cursor ?? ''}`);
    expect(next.body.items.map(({ inputs }) => inputs['number'])).to.deep.equal([4, 5, 6]);
  });

  it('answers with forty large results of one job, page by page', async () => {
    const path = `/jobs/${jobWithResults}/task-results`;
    const names: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const { status, text, body }: Reply<Page<TaskResult>> = await get(
        cursor === '' ? path : `${path}?cursor=${cursor}`,
      );
      expect(status).to.equal(200);
      expect(text.length).to.be.at.most(MAX_PAGE_BYTES);
      expect(body.items).not.to.be.empty;
      names.push(...body.items.map(({ task_name: name }) => name));
      cursor = body.next_cursor;
    }
    expect(names).to.have.length(RESULTS);
    expect(names).to.deep.equal([...new Set(names)].toSorted());
  });

  it('answers with one job a page when each is larger than a page', async () => {
    const { status, body } = await get<Page<Job>>('/jobs', 'dense');
    expect(status).to.equal(200);
    expect(body.items).to.have.length(1);
    expect(body.items[0]?.inputs['energies']).to.have.length(30_000);
    expect(body.next_cursor).to.be.a('string');
  });

  it('refuses an organization whose clients do not read, and nobody else', async () => {
    const sockets = await Promise.all(Array.from({ length: 60 }, () => askOnly(`/jobs?limit=${JOBS}`)));
    try {
      let refused: Reply<Problem> | undefined;
      await until(
        () => `the organization is refused, with ${sockets.length} clients that do not read`,
        async () => {
          refused = await get<Problem>(`/jobs?limit=${JOBS}`);
          if (refused.status !== 200) return true;
          // Most of those that came at once may have been refused, and wait for nothing now.
          sockets.push(await askOnly(`/jobs?limit=${JOBS}`));
          return false;
        },
      );
      expect([refused?.status, refused?.body.code]).to.deep.equal([429, 'organization_busy']);
      expect(Number(refused?.headers['retry-after'])).to.be.at.least(1);
      expect((await get('/jobs', 'beta')).status).to.equal(200);
    } finally {
      for (const socket of sockets) socket.destroy();
    }
    await until('it is served again', async () => (await get(`/jobs?limit=${JOBS}`)).status === 200);
    await until('no answer counts any more', async () =>
      /^mad_http_response_bytes 0$/m.test((await send(url, 'GET', '/metrics')).text),
    );
  });
});
