import { expect } from 'chai';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import type { Job, Page, Problem } from '../support/http-contract.ts';
import { HttpService, type Caller } from '../support/http-service.ts';

const JOBS = 64;

describe('The list of jobs over HTTP', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let service: HttpService;
  let member: Caller;
  let worker: Caller;
  let ids: readonly string[];

  before(async () => {
    deployment = await createDeployment();
    service = await HttpService.start(deployment, ['alpha', 'beta']);
    await deployment.register('alpha', 'beta');
    member = service.as(deployment.token('alpha', ['member']));
    worker = service.as(deployment.token('alpha', ['worker']));
    // Several at a time, so that many share a millisecond.
    const made: string[] = [];
    for (let n = 0; n < JOBS; n += 8) {
      made.push(...(await Promise.all(Array.from({ length: 8 }, () => submit()))));
    }
    ids = made;
  });
  after(async () => {
    await service.close();
    await deployment.dispose();
  });

  const submit = async (): Promise<string> =>
    (await member.post<Job>('/jobs', { engine: 'vina', inputs: { at: performance.now() } })).body.job_id;

  /** All pages; `between` runs after each of them. */
  const walk = async (query: string, between?: () => Promise<unknown>): Promise<readonly Job[]> => {
    const jobs: Job[] = [];
    let cursor = '';
    for (;;) {
      const { status, body } = await member.get<Page<Job>>(`/organizations/alpha/jobs?${query}${cursor}`);
      expect(status).to.equal(200);
      expect(body).to.have.all.keys('items', 'next_cursor');
      jobs.push(...body.items);
      expect(jobs.length, 'the pages come to an end').to.be.lessThan(2000);
      if (body.next_cursor === null) return jobs;
      expect(body.items).not.to.be.empty;
      cursor = `&cursor=${encodeURIComponent(body.next_cursor)}`;
      await between?.();
    }
  };

  it('is newest first', async () => {
    const times = (await walk('limit=200')).map(({ created_at }) => created_at);
    expect(times).to.have.length(JOBS);
    expect(times).to.deep.equal(times.toSorted().toReversed());
  });

  it('gives each job once, none missing, in the same order whatever the page size', async () => {
    const whole = (await walk('limit=200')).map(({ job_id }) => job_id);
    for (const limit of [1, 7, 32, 64]) {
      const paged = (await walk(`limit=${limit}`)).map(({ job_id }) => job_id);
      expect(paged).to.deep.equal(whole);
    }
    expect(whole).to.have.members([...ids]);
  });

  it('gives each job once, none missing, while others are submitted and moved', async () => {
    let running = true;
    const meddle = async (): Promise<void> => {
      while (running) {
        const id = await submit();
        await worker.patch(`/jobs/${id}`, { status: 'RUNNING' });
      }
    };
    const meddlers = [meddle(), meddle()];
    const seen = (await walk('limit=5', submit)).map(({ job_id }) => job_id);
    running = false;
    await Promise.all(meddlers);

    expect(new Set(seen).size, 'no duplicate').to.equal(seen.length);
    expect(seen, 'none missing').to.include.members([...ids]);
  });

  it('can be read by status, page by page, while jobs leave it', async () => {
    const chosen = ids.slice(0, 20);
    for (const id of chosen) await worker.patch(`/jobs/${id}`, { status: 'CANCELED' });
    const canceled = await walk('status=CANCELED&limit=6');
    expect(canceled.map(({ job_id }) => job_id)).to.have.members([...chosen]);
    expect(new Set(canceled.map(({ status }) => status))).to.deep.equal(new Set(['CANCELED']));

    const pending = (await walk('status=PENDING&limit=200')).map(({ job_id }) => job_id);
    const remaining = pending.slice();
    const seen = await walk('status=PENDING&limit=9', async () => {
      await worker.patch(`/jobs/${remaining.shift()}`, { status: 'RUNNING' });
    });
    const seenIds = seen.map(({ job_id }) => job_id);
    expect(seenIds).to.deep.equal(pending);
    expect((await walk('status=FAILED')).length).to.equal(0);
  });

  it('has fifty jobs a page unless asked, and is empty for an organization without any', async () => {
    const { body } = await member.get<Page<Job>>('/jobs');
    expect(body.items).to.have.length(50);
    expect(body.next_cursor).to.be.a('string');
    const newcomer = service.as(deployment.token('beta', ['worker']));
    expect((await newcomer.get('/jobs')).body).to.deep.equal({ items: [], next_cursor: null });
  });

  it('refuses limits, statuses and cursors that make no sense', async () => {
    const cases = [
      ...['limit=0', 'limit=201', 'limit=-1', 'limit=1.5', 'limit=ten', 'limit='],
      ...['status=DONE', 'status=pending', 'status='],
      ...['cursor=x', 'cursor=%27%3Bdrop', `cursor=${'A'.repeat(600)}`, 'page=2', 'limit=1&limit=2'],
    ];
    for (const query of cases) {
      const { status, body } = await member.get<Problem>(`/jobs?${query}`);
      expect([query, status, body.errors?.[0]?.path]).to.deep.equal([query, 422, query.split('=')[0]]);
    }
  });
});
