import { expect } from 'chai';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import { until } from '../support/gate.ts';
import type { Job, Problem } from '../support/http-contract.ts';
import { HttpService, type Caller } from '../support/http-service.ts';

interface Amounts {
  readonly requests: number;
  readonly refusals: number;
  readonly db_ms: number;
  readonly egress_bytes: number;
  readonly jobs: number;
  readonly core_seconds: number;
}
interface Usage {
  readonly from: string;
  readonly to: string;
  readonly total: Amounts;
  readonly days: readonly (Amounts & { readonly day: string; readonly stored_bytes: number | null })[];
}

const PATH = '/organizations/alpha/usage';

describe('Usage over HTTP', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let service: HttpService;
  let administrator: Caller;

  beforeEach(async () => {
    deployment = await createDeployment();
    service = await HttpService.running(deployment.start(), ['alpha', 'beta']);
    await deployment.register('alpha', 'beta');
    administrator = service.as(deployment.token('alpha', ['org_admin']));
  });
  afterEach(async () => {
    await service.close();
    await deployment.dispose();
  });

  const usage = async (query = ''): Promise<Usage> =>
    (await administrator.get<Usage>(`${PATH}${query}`)).body;
  const write = async (): Promise<void> => {
    await service.container.get(TOKENS.background).run('usage');
  };

  it('is what the organization has asked for, what was refused, and what its jobs have cost', async () => {
    const member = service.as(deployment.token('alpha', ['member']));
    const worker = service.as(deployment.token('alpha', ['worker']));
    const { body: job } = await member.post<Job>('/jobs', { engine: 'vina', inputs: { ligand: 'CCO' } });
    const { body: list } = await member.get<object>('/jobs');
    await member.get(`/jobs/${crypto.randomUUID()}`);
    const { body: claim } = await worker.post<{ items: { lease: { lease_id: string } }[] }>('/jobs/claim', {
      worker: { name: 'one' },
      engines: ['vina'],
      limit: 1,
    });
    await worker.post(`/jobs/${job.job_id}/complete`, {
      lease_id: claim.items[0]?.lease.lease_id,
      outcome: 'COMPLETED',
      usage: { wall_seconds: 40, cpu_seconds: 160.5 },
    });
    // What the trail tells may be there already.
    expect((await usage()).total.requests, 'before anything is written').to.equal(0);
    await write();
    await until('the trail has arrived', async () => (await usage()).total.core_seconds > 0);
    const { from, to, total, days } = await usage();
    expect(days).to.have.length(1);
    expect(days[0]).to.include({
      requests: 6,
      refusals: 0,
      jobs: 1,
      core_seconds: 160.5,
      stored_bytes: null,
    });
    expect(days[0]?.db_ms).to.be.above(0);
    expect(days[0]?.egress_bytes).to.be.above(JSON.stringify(list).length);
    expect(total).to.include({ requests: 6, jobs: 1, core_seconds: 160.5 });
    expect(Date.parse(to) - Date.parse(from)).to.equal(29 * 86_400_000);
    expect(days[0]?.day).to.equal(to);
  });

  it('of a process that stops is written before it ends', async () => {
    const member = service.as(deployment.token('alpha', ['member']));
    expect((await member.get('/jobs')).status).to.equal(200);
    await service.close();
    const rows = await deployment.metadata<{ requests: string }>(
      `select requests from usage_daily where org_id = 'alpha'`,
    );
    expect(rows).to.deep.equal([{ requests: '1' }]);
  });

  it('is shown to administrators of the organization and of the platform, for a year at most', async () => {
    for (const [query, status] of [
      ['?from=2026-01-01&to=2026-12-31', 200],
      ['?from=2024-01-01&to=2024-12-31', 200],
      ['?to=2026-02-28', 200],
      ['?from=2025-12-31&to=2027-01-01', 422],
      ['?from=2026-02-02&to=2026-02-01', 422],
      ['?from=2026-02-30', 422],
      ['?from=0000-01-01&to=0000-01-02', 422],
      ['?from=yesterday', 422],
    ] as const) {
      const reply = await administrator.get<Problem>(`${PATH}${query}`);
      expect(reply.status, query).to.equal(status);
    }
    const platform = service.as(deployment.token(null, ['platform_admin']));
    expect((await platform.get(PATH)).status).to.equal(200);
    const unknown = await platform.get<Problem>('/organizations/nobody/usage');
    expect([unknown.status, unknown.body.code]).to.deep.equal([404, 'organization_not_found']);
    const stranger = service.as(deployment.token('beta', ['org_admin']));
    expect((await stranger.get(PATH)).status).to.equal(403);
  });
});
