import { expect } from 'chai';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import type { NewServiceAccountReply, TokenReply } from '../support/access-contract.ts';
import { decorate } from '../support/decorate.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { Gate, rejectionOf, until } from '../support/gate.ts';
import type { Job, Problem } from '../support/http-contract.ts';
import { HttpService, type Caller } from '../support/http-service.ts';
import { relayEntries } from '../support/relay-entries.ts';

const ORGANIZATIONS = 2000;
const AT_WORK = 20;
const nameOf = (index: number): string => `org-${String(index).padStart(4, '0')}`;

interface Hint {
  readonly org_id: string;
  readonly engine: string;
  readonly waiting: number;
  readonly hint_version: number;
}
interface Claim {
  readonly items: readonly { readonly job: Job; readonly lease: { readonly lease_id: string } }[];
}
interface Process {
  readonly service: HttpService;
  /** Organizations whose databases were opened, in the order in which they were asked for. */
  readonly opened: readonly string[];
  close(): Promise<void>;
}

describe('A fleet of workers', function () {
  this.timeout(120_000);
  let deployment: Deployment;
  let key: string;

  before(async () => {
    deployment = await createDeployment();
    await deployment.register(...Array.from({ length: ORGANIZATIONS }, (_, index) => nameOf(index)));
    const first = await start();
    const platform = first.service.as(deployment.token(null, ['platform_admin']));
    const { body } = await platform.post<NewServiceAccountReply>('/admin/service-accounts', {
      name: 'fleet',
    });
    key = body.key;
    await deployment.metadata(
      `insert into memberships (user_id, org_id, roles) select $1, org_id, '{worker}' from organizations`,
      body.service_account_id,
    );
    await first.close();
  });
  after(() => deployment.dispose());

  const start = async (): Promise<Process> => {
    const container = deployment.start();
    const opened: string[] = [];
    decorate(container, TOKENS.connectionManager, (manager) => ({
      acquire: (id) => {
        opened.push(id);
        return manager.acquire(id);
      },
    }));
    const stopRelaying = relayEntries(container, { gatherMs: 20 });
    const service = await HttpService.over(deployment, container);
    const close = async (): Promise<void> => {
      await service.close();
      await stopRelaying();
    };
    return { service, opened, close };
  };
  const submit = async ({ service }: Process, organization: string, engine = 'vina'): Promise<string> => {
    const member = service.as(deployment.token(organization, ['member']));
    const { body } = await member.post<Job>('/jobs', { engine, inputs: { ligand: 'CCO' } });
    return body.job_id;
  };
  const hints = () =>
    deployment.metadata<{ org_id: string; engine: string; waiting: number }>(
      'select org_id, engine, waiting from work_hints order by org_id, engine',
    );
  const makeDue = () =>
    deployment.metadata("update work_hints set next_due_at = now() - interval '1 second'");
  const login = async ({ service }: Process): Promise<Caller> => {
    const { body } = await service.call<TokenReply>('POST', '/auth/token', { body: { key } });
    return service.as(body.access_token);
  };
  const look = async (fleet: Caller, query = ''): Promise<readonly Hint[]> =>
    (await fleet.get<{ items: readonly Hint[] }>(`/work${query}`)).body.items;
  const enter = async ({ service }: Process, fleet: Caller, organization: string): Promise<Caller> => {
    const { body } = await fleet.post<TokenReply>('/auth/exchange', { org_id: organization });
    return service.as(body.access_token);
  };
  const claim = async (worker: Caller, hint: Hint, limit = 10): Promise<Claim['items']> => {
    const { status, body, text } = await worker.post<Claim & Problem>('/jobs/claim', {
      worker: { name: 'node-1' },
      engines: [hint.engine],
      limit,
      hint_version: hint.hint_version,
    });
    expect(status, text).to.equal(200);
    return body.items;
  };

  it('works off what waits in a few of thousands of organizations, and opens no other database', async () => {
    const gate = await start();
    const atWork = Array.from({ length: AT_WORK }, (_, n) => nameOf((n * ORGANIZATIONS) / AT_WORK));
    const twice = async (organization: string): Promise<readonly string[]> => [
      await submit(gate, organization),
      await submit(gate, organization),
    ];
    const submitted = (await Promise.all(atWork.map(twice))).flat();
    await until(
      'hints count every job',
      async () => (await hints()).every(({ waiting }) => waiting === 2) && (await hints()).length === AT_WORK,
    );
    await gate.close();
    const databases = await deployment.databases();

    const processes = [await start(), await start()];
    const done: string[] = [];
    const work = async (process: Process): Promise<void> => {
      const fleet = await login(process);
      for (
        let found = await look(fleet, '?limit=3');
        found.length > 0;
        found = await look(fleet, '?limit=3')
      ) {
        for (const hint of found) {
          const worker = await enter(process, fleet, hint.org_id);
          for (const { job, lease } of await claim(worker, hint)) {
            const { status } = await worker.post(`/jobs/${job.job_id}/complete`, {
              lease_id: lease.lease_id,
              outcome: 'COMPLETED',
              task_results: [],
              artifacts: [],
            });
            expect(status).to.equal(200);
            done.push(job.job_id);
          }
        }
      }
    };
    await Promise.all(processes.map(work));
    expect(done.toSorted()).to.deep.equal(submitted.toSorted());

    // The leases would have ended by now. Whoever looks then finds nothing, and nobody looks again.
    await until('the claims are told', async () => (await hints()).every(({ waiting }) => waiting === 0));
    await until('no hint is left', async () => {
      await makeDue();
      await Promise.all(processes.map(work));
      return (await hints()).length === 0;
    });

    const opened = new Set(processes.flatMap((process) => process.opened));
    expect([...opened].toSorted()).to.deep.equal(atWork);
    expect(await deployment.databases()).to.deep.equal(databases);
    await Promise.all(processes.map((process) => process.close()));
  });

  describe('that comes to an organization', () => {
    let process: Process;
    let fleet: Caller;
    let serial = 0;

    before(async () => {
      process = await start();
      fleet = await login(process);
    });
    after(() => process.close());

    /** One job of an engine of its own, and the hint at it. */
    const prepare = async (): Promise<{ jobId: string; hint: Hint; worker: Caller }> => {
      const engine = `engine-${(serial += 1)}`;
      const jobId = await submit(process, nameOf(0), engine);
      let found: readonly Hint[] = [];
      await until('the hint is set', async () => {
        found = await look(fleet, `?engines=${engine}`);
        return found.length > 0;
      });
      const [hint] = found;
      if (hint === undefined) throw new Error('there is no hint');
      return { jobId, hint, worker: await enter(process, fleet, hint.org_id) };
    };
    const of = async ({ engine }: Hint) => (await hints()).filter((hint) => hint.engine === engine);
    const isDue = async ({ engine }: Hint): Promise<boolean> =>
      (await deployment.metadata('select from work_hints where engine = $1 and next_due_at <= now()', engine))
        .length > 0;

    it('and finds its jobs held by another claim leaves the hint: hint-survives-a-claim-that-rolls-back', async () => {
      const { jobId, hint, worker } = await prepare();
      const { database, release } = await process.service.container
        .get(TOKENS.connectionManager)
        .acquire(organizationId(hint.org_id));
      const gate = new Gate();
      const rolledBack = rejectionOf(
        database.transaction(async ({ attempts }) => {
          const { claimed } = await attempts.claim(
            {
              worker: { name: 'another', version: null },
              engines: [hint.engine],
              limit: 1,
              leaseSeconds: 60,
              maxRuntimeSeconds: 60,
              maxRunningJobs: null,
            },
            { userId: 'another', requestId: null, address: null },
          );
          expect(claimed).to.have.length(1);
          await gate.pass();
          throw new Error('changed its mind');
        }),
      );
      await gate.reached;
      await makeDue();
      expect(await claim(worker, hint)).to.deep.equal([]);
      expect(await of(hint), 'the job may come back').to.have.length(1);
      expect(await isDue(hint), 'not at once').to.equal(false);
      gate.open();
      await rolledBack;
      release();
      expect((await claim(worker, hint)).map(({ job }) => job.job_id)).to.deep.equal([jobId]);
    });

    it('and takes all there is puts the hint off until its leases may lapse', async () => {
      const { hint, worker } = await prepare();
      await makeDue();
      expect(await claim(worker, hint)).to.have.length(1);
      // The news of the claim may come before the claim settles the hint. A newer one is left to whoever looks next.
      await until('the claim is told', async () => {
        const told = 'select from work_hints where engine = $1 and version > $2';
        return (await deployment.metadata(told, hint.engine, hint.hint_version)).length > 0;
      });
      await makeDue();
      const [newer] = await look(fleet, `?engines=${hint.engine}`);
      expect(await claim(worker, newer ?? hint)).to.deep.equal([]);
      expect(await isDue(hint)).to.equal(false);
      const [row] = await deployment.metadata<{ seconds: number }>(
        `select extract(epoch from next_due_at - now())::int as seconds from work_hints where engine = $1`,
        hint.engine,
      );
      expect(row?.seconds).to.be.within(60, 121);
    });

    it('and finds nothing deletes the hint, unless another job came after it was seen', async () => {
      const { jobId, hint, worker } = await prepare();
      const administrator = process.service.as(deployment.token(hint.org_id, ['org_admin']));
      await administrator.patch(`/jobs/${jobId}`, { status: 'CANCELED' });
      const second = await submit(process, hint.org_id, hint.engine);
      await until('the second job is told', async () => (await of(hint))[0]?.waiting === 2);
      await administrator.patch(`/jobs/${second}`, { status: 'CANCELED' });
      expect(await claim(worker, hint)).to.deep.equal([]);
      expect(await of(hint), 'set anew').to.have.length(1);
      await makeDue();
      const [newer] = await look(fleet, `?engines=${hint.engine}`);
      expect(await claim(worker, newer ?? hint)).to.deep.equal([]);
      expect(await of(hint)).to.deep.equal([]);
    });

    it('whose quota of running jobs is used up comes back later', async () => {
      const { hint, worker } = await prepare();
      const administrator = process.service.as(deployment.token(hint.org_id, ['org_admin']));
      await administrator.patch(`/organizations/${hint.org_id}/settings`, {
        settings: { max_running_jobs: 1 },
      });
      const claimOf = async (engine: string): Promise<number> => {
        const { status } = await worker.post('/jobs/claim', {
          worker: { name: 'node-1' },
          engines: [engine],
          limit: 1,
          hint_version: hint.hint_version,
        });
        return status;
      };
      // Settings count after a moment. Until then the hint's own job would be given out.
      await until('the quota is used up', async () => (await claimOf('engine-of-nobody')) === 429);
      await makeDue();
      expect(await claimOf(hint.engine)).to.equal(429);
      expect(await of(hint)).to.have.length(1);
      expect(await isDue(hint)).to.equal(false);
      await administrator.patch(`/organizations/${hint.org_id}/settings`, {
        settings: { max_running_jobs: null },
      });
    });
  });
});
