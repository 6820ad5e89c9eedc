import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import type { Job, Page, Problem } from '../support/http-contract.ts';
import { HttpService } from '../support/http-service.ts';

const REQUESTS = 1000;
const CLIENTS = 40;
const ORGANIZATIONS = ['alpha', 'beta'] as const;
type Name = (typeof ORGANIZATIONS)[number];

describe('Interleaved requests', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let service: HttpService;

  before(async () => {
    deployment = await createDeployment({
      // Room for one pool and three connections: the two organizations push each other out all the time.
      DB_MAX_POOLS: '1',
      DB_CONNECTION_BUDGET: '3',
      DB_ORG_POOL_SIZE: '2',
      DB_ORG_MAX_OVERFLOW: '1',
      DB_ACQUIRE_TIMEOUT_MS: '20000',
    });
    service = await HttpService.start(deployment, [...ORGANIZATIONS]);
    await deployment.register(...ORGANIZATIONS);
  });
  after(async () => {
    await service.close();
    await deployment.dispose();
  });

  it('1000-interleaved-requests-two-tenants-zero-leaks', async () => {
    const marker: Readonly<Record<Name, string>> = { alpha: `A-${randomUUID()}`, beta: `B-${randomUUID()}` };
    const token = (name: Name) => deployment.token(name, ['member', 'worker', 'org_admin']);
    const callers = { alpha: service.as(token('alpha')), beta: service.as(token('beta')) };
    const jobs: Record<Name, string[]> = { alpha: [], beta: [] };
    const idsSeen: Record<Name, Set<string>> = { alpha: new Set(), beta: new Set() };
    let sent = 0;

    const step = async (n: number): Promise<void> => {
      // Consecutive requests belong to different organizations.
      const own: Name = n % 2 === 0 ? 'alpha' : 'beta';
      const foreign: Name = own === 'alpha' ? 'beta' : 'alpha';
      const caller = callers[own];
      const home = n % 3 === 0 ? '/jobs' : `/organizations/${own}/jobs`;
      const mine = jobs[own].at(n % Math.max(1, jobs[own].length));
      const theirs = jobs[foreign].at(-1);
      const inputs = { marker: marker[own], n };
      const kind = Math.floor(n / 2) % 6;
      const replies = [];
      if (mine === undefined || kind === 0) {
        const reply = await caller.post<Job>(home, { engine: 'vina', inputs });
        expect(reply.status).to.equal(201);
        jobs[own].push(reply.body.job_id);
        replies.push(reply);
      } else if (kind === 1) {
        const reply = await caller.get<Job>(`${home}/${mine}`);
        expect([reply.status, reply.body.inputs['marker']]).to.deep.equal([200, marker[own]]);
        replies.push(reply);
      } else if (kind === 2) {
        const reply = await caller.get<Page<Job>>(`${home}?limit=20`);
        expect(reply.status).to.equal(200);
        for (const { job_id } of reply.body.items) idsSeen[own].add(job_id);
        replies.push(reply);
      } else if (kind === 3) {
        const path = `${home}/${mine}/task-results/docking`;
        const reply = await caller.put(path, { service_name: marker[own], result_data: inputs });
        expect([200, 201]).to.include(reply.status);
        replies.push(reply);
      } else if (kind === 4) {
        const reply = await caller.get<{ items: readonly object[] }>(`${home}/${mine}/task-results`);
        expect(reply.status).to.equal(200);
        replies.push(reply);
      } else {
        const reply = await caller.get<Problem>(`${home}/${theirs ?? randomUUID()}`);
        expect([reply.status, reply.body.code]).to.deep.equal([404, 'job_not_found']);
        replies.push(reply);
      }
      for (const { text } of replies) expect(text).not.to.include(marker[foreign]);
    };
    const client = async (): Promise<void> => {
      while (sent < REQUESTS) {
        sent += 1;
        await step(sent);
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, client));

    for (const own of ORGANIZATIONS) {
      const foreign: Name = own === 'alpha' ? 'beta' : 'alpha';
      expect(jobs[own].length).to.be.greaterThan(50);
      for (const id of idsSeen[own]) expect(jobs[foreign]).not.to.include(id);
      const rows = await deployment.administer<{ job_id: string; marker: string }>(
        `select job_id, inputs ->> 'marker' as marker from docking_jobs
         union all select job_id, service_name from task_results`,
        [],
        deployment.databaseName(own),
      );
      expect(new Set(rows.map((row) => row.marker))).to.deep.equal(new Set([marker[own]]));
      expect(new Set(rows.map(({ job_id }) => job_id))).to.deep.equal(new Set(jobs[own]));
    }
  });
});
