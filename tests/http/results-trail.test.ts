import { expect } from 'chai';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import { until } from '../support/gate.ts';
import type { AuditEntry, Job, Page } from '../support/http-contract.ts';
import { startHttpProcess } from '../support/http-process.ts';
import { HttpService, type Caller } from '../support/http-service.ts';
import { send } from '../support/send.ts';

const CANARY = 'canary-7f3a1c';

describe('Writes of results over HTTP', function () {
  this.timeout(60_000);
  let deployment: Deployment;

  before(async () => {
    deployment = await createDeployment();
    await deployment.register('alpha');
  });
  after(() => deployment.dispose());

  it('are in the audit trail with who, which request and from where', async () => {
    const service = await HttpService.start(deployment);
    const relay = service.container.get(TOKENS.outboxRelay);
    relay.start();
    try {
      const as = (sub: string, ...roles: string[]): Caller =>
        service.as(deployment.token('alpha', roles, { sub }));
      const request = (id: string) => ({ 'X-Request-Id': id });
      const submission = { engine: 'vina', inputs: { ligand: CANARY }, priority: 7 };
      const { body: job } = await as('ada', 'member').post<Job>('/jobs', submission, {
        ...request('r1'),
        'Idempotency-Key': 'once',
      });
      await as('ada', 'member').post('/jobs', submission, { ...request('r1b'), 'Idempotency-Key': 'once' });
      const worker = as('bot', 'worker');
      const path = `/jobs/${job.job_id}`;
      await worker.patch(path, { status: 'RUNNING' }, request('r2'));
      const result = { service_name: 'vina', result_data: { secret: CANARY }, confidence_score: 0.5 };
      await worker.put(`${path}/task-results/docking`, result, request('r3'));
      const artifact = { name: 'poses', purpose: 'poses', uri: 's3://bucket/poses' };
      await worker.post(`${path}/artifacts`, artifact, request('r4'));
      await worker.patch(path, { status: 'COMPLETED' }, request('r5'));
      await worker.patch(path, { status: 'RUNNING' }, request('refused'));
      const { body: cached } = await as('ada', 'member').post<Job>(
        '/jobs?use_cache=true',
        submission,
        request('r6'),
      );

      const trail = async (): Promise<readonly AuditEntry[]> => {
        const { body } = await as('eve', 'org_admin').get<Page<AuditEntry>>(
          '/organizations/alpha/audit-logs',
        );
        return body.items.filter(({ entity_type: type }) => type !== 'database').toReversed();
      };
      await until('all has arrived', async () => (await trail()).length >= 6);
      const entries = await trail();
      expect(
        entries.map(({ request_id: id, user_id: user, action, details }) => [id, user, action, details]),
      ).to.deep.equal([
        [
          'r1',
          'ada',
          'job.submitted',
          { engine: 'vina', status: 'PENDING', pipeline_version: job.pipeline_version, priority: 7 },
        ],
        [
          'r2',
          'bot',
          'job.moved',
          { engine: 'vina', status: 'RUNNING', before: 'PENDING', after: 'RUNNING' },
        ],
        [
          'r3',
          'bot',
          'task_result.written',
          { job_id: job.job_id, task_name: 'docking', service_name: 'vina', confidence_score: 0.5 },
        ],
        ['r4', 'bot', 'artifact.added', { job_id: job.job_id, ...artifact }],
        [
          'r5',
          'bot',
          'job.moved',
          { engine: 'vina', status: 'COMPLETED', before: 'RUNNING', after: 'COMPLETED' },
        ],
        [
          'r6',
          'ada',
          'job.submitted',
          {
            engine: 'vina',
            status: 'COMPLETED',
            pipeline_version: job.pipeline_version,
            priority: 7,
            canonical_job_id: job.job_id,
          },
        ],
      ]);
      expect(entries.map(({ entity_id: id }) => id)).to.include.members([job.job_id, cached.job_id]);
      for (const entry of entries) expect(entry).to.include({ org_id: 'alpha', address: '127.0.0.1' });
      expect(JSON.stringify(entries), 'the data itself').not.to.include(CANARY);
    } finally {
      await relay.close();
      await service.close();
    }
  });

  it('and reads are a debug line each, with organization, request and duration, and no value', async () => {
    const process = await startHttpProcess({ ...deployment.environment, LOG_LEVEL: 'debug' });
    try {
      const url = await process.listening();
      const token = deployment.token('alpha', ['member', 'worker'], { sub: `user-${CANARY}` });
      const ask = (method: 'GET' | 'POST', path: string, id: string, body?: unknown) =>
        send<Job>(url, method, path, { token, body, headers: { 'X-Request-Id': id } });
      const posted = await ask('POST', '/jobs', 'write', {
        engine: CANARY,
        inputs: { ligand: CANARY },
        params: { note: CANARY },
      });
      expect(posted.status).to.equal(201);
      await ask('GET', '/jobs?status=PENDING', 'list');
      await ask('GET', `/jobs/${posted.body.job_id}/artifacts`, 'unnamed');
      await ask('GET', `/organizations/alpha`, 'metadata');
      const putPath = `/jobs/${posted.body.job_id}/task-results/${CANARY}`;
      await send(url, 'PUT', putPath, {
        token,
        body: { service_name: CANARY, result_data: { secret: CANARY } },
        headers: { 'X-Request-Id': 'transaction' },
      });
      process.kill('SIGTERM');
      await process.exited;

      const lines: readonly Readonly<Record<string, unknown>>[] = process
        .stdout()
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line));
      const operations = lines.filter(({ msg }) => msg === 'database operation');
      const of = (id: string) => operations.filter(({ request_id: request }) => request === id);
      expect(of('write').map(({ statement }) => statement)).to.include('docking_job_insert');
      expect(of('list').map(({ statement }) => statement)).to.include('docking_job_list_status');
      expect(of('unnamed').map(({ statement }) => statement)).to.satisfy((statements: readonly string[]) =>
        statements.some((statement) => /^select .*"artifacts".* where "job_id" = \$1/.test(statement)),
      );
      expect(of('transaction').map(({ statement }) => statement)).to.include.members([
        'docking_job_find_for_update',
        'task_result_put',
        'transaction',
      ]);
      expect(of('metadata').length).to.be.greaterThan(0);
      for (const id of ['write', 'list', 'unnamed', 'metadata', 'transaction']) {
        for (const operation of of(id)) {
          expect(operation).to.include({ org_id: 'alpha', level: 'debug' });
          expect(operation['duration_ms']).to.be.a('number').and.to.be.at.least(0);
        }
      }
      expect(JSON.stringify(operations)).not.to.include(CANARY);
      expect(process.stdout().split(CANARY).length - 1, 'values in the log').to.equal(0);
    } finally {
      await process.dispose();
    }
  });
});
