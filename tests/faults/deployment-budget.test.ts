import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import type { ChildCounts } from '../support/child-protocol.ts';
import { startChildService, type ChildFailure, type ChildService } from '../support/child-service.ts';
import { sampleConnections, type ConnectionSampler } from '../support/connection-samples.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { until } from '../support/gate.ts';
import { lockTable } from '../support/server-faults.ts';
import { startTcpProxy, throughProxies } from '../support/tcp-proxy.ts';

const BUDGET = 7;
const WRITER_PAUSE_MS = 60;
const ORGANIZATIONS = Array.from({ length: 9 }, (_, index) => `org-${index}`);

describe('the connection budget of a deployment', function () {
  this.timeout(90_000);
  let deployment: Deployment;
  let children: ChildService[];
  let sampler: ConnectionSampler;

  before(async () => {
    deployment = await createDeployment({
      DB_CONNECTION_BUDGET: String(BUDGET),
      DB_ORG_POOL_SIZE: '2',
      DB_ORG_MAX_OVERFLOW: '2',
      DB_ACQUIRE_TIMEOUT_MS: '10000',
      DB_ORG_ROLES: 'true',
      DB_ROLE_SECRET: 'a secret for the roles of organizations',
    });
    await deployment.register(...ORGANIZATIONS);
    const manager = deployment.start().get(TOKENS.connectionManager);
    for (const id of ORGANIZATIONS) await manager.provision(organizationId(id));
    await manager.closeAll();
  });
  beforeEach(async () => {
    children = [];
    sampler = await sampleConnections(
      deployment.environment['DB_DATABASE_URL'] ?? '',
      deployment.databaseName(''),
    );
  });
  afterEach(async () => {
    await Promise.all(children.map((child) => child.stop()));
    await sampler.stop();
  });
  after(() => deployment.dispose());

  const join = async (settings: Readonly<Record<string, string>> = {}): Promise<ChildService> => {
    const child = await startChildService({ ...deployment.environment, ...settings });
    children.push(child);
    await child.call({ do: 'join' });
    return child;
  };
  const shareOf = async (child: ChildService): Promise<number> =>
    ((await child.call({ do: 'counts' })) as ChildCounts).budget; // what `counts` answers
  const shares = (...of: ChildService[]): Promise<number[]> => Promise.all(of.map(shareOf));
  const sorted = (numbers: readonly number[]): readonly number[] => numbers.toSorted((a, b) => a - b);

  /**
   * Writes to all organizations again and again, as a busy service does, until it is told to stop or dies. What matters is
   * that all of them want connections all the time, not how much they write.
   */
  const load = (child: ChildService): (() => Promise<number>) => {
    let stopped = false;
    const clients = ORGANIZATIONS.map(async (id) => {
      let written = 0;
      while (!stopped) {
        await child.call({ do: 'write', organizationId: id, submittedBy: 'load' });
        written += 1;
        await sleep(WRITER_PAUSE_MS);
      }
      return written;
    });
    return async () => {
      stopped = true;
      return (await Promise.all(clients)).reduce((sum, written) => sum + written, 0);
    };
  };

  const settle = async (expected: readonly number[], ...of: ChildService[]): Promise<void> => {
    let seen: readonly number[] = [];
    await until(
      () => `the shares are ${expected.join(', ')}, not ${seen.join(', ')}`,
      async () => {
        seen = sorted(await shares(...of));
        return seen.join() === expected.join();
      },
    );
  };
  const held = async (): Promise<void> => {
    const { most, samples } = await sampler.stop();
    expect(samples).to.be.greaterThan(100);
    expect(most).to.be.within(BUDGET - 1, BUDGET);
  };

  it('global-budget-never-exceeded-by-three-processes', async () => {
    const one = await join();
    await settle([BUDGET], one);
    const loads = [load(one)];
    const two = await join();
    loads.push(load(two));
    const three = await join();
    loads.push(load(three));
    await settle([2, 2, 3], one, two, three);

    // One leaves in peace, another comes: what one gives back, the others get.
    const written = [await loads[1]?.()];
    await two.stop();
    await settle([3, 4], one, three);
    const four = await join();
    loads[1] = load(four);
    await settle([2, 2, 3], one, three, four);
    for (const stop of loads) written.push(await stop());
    for (const count of written) expect(count).to.be.greaterThan(0);
    await held();
  });

  it('is what keeps them within it: processes that do not join are seen to exceed it', async () => {
    const strangers = await Promise.all([0, 1].map(() => startChildService(deployment.environment)));
    children.push(...strangers);
    const loads = strangers.map(load);
    await until('there are too many', () => sampler.most() > BUDGET);
    for (const stop of loads) await stop();
  });

  it('crashed-process-returns-its-budget', async () => {
    const one = await join();
    const two = await join();
    await settle([3, 4], one, two);
    const survivor = load(one);
    const victim = load(two);
    await until('the victim has connections', async () => {
      const { connections } = (await two.call({ do: 'counts' })) as ChildCounts; // what `counts` answers
      return connections === (await shareOf(two));
    });
    await until('both together have what they may', () => sampler.most() >= BUDGET - 1);
    await two.kill();
    await victim().then(
      () => expect.fail('its requests died with it'),
      () => undefined,
    );
    await settle([BUDGET], one);
    expect(await survivor()).to.be.greaterThan(0);
    await held();
  });

  it('keeps the share of a process that sleeps, and of one whose work goes on after its death', async () => {
    const one = await join();
    // Whatever a URL calls the program, the others know its connections.
    const template = deployment.environment['DB_RESULTS_DB_TEMPLATE'] ?? '';
    const two = await join({ DB_RESULTS_DB_TEMPLATE: `${template}?application_name=billing` });
    await settle([3, 4], one, two);
    const before = await shareOf(one);
    process.kill(two.pid, 'SIGSTOP');
    try {
      const rows = () =>
        deployment.administer<{ silent: boolean }>(
          `select heartbeat_at < now() - interval '4 seconds' as silent from service_instances`,
          [],
          deployment.metadataDatabase,
        );
      await until('it has been silent for long', async () => (await rows()).some(({ silent }) => silent));
      expect(await shareOf(one)).to.equal(before);
    } finally {
      process.kill(two.pid, 'SIGCONT');
    }

    // A backend in the middle of a statement does not see that its client is gone.
    const lock = await lockTable(deployment, deployment.databaseName('org-0'), 'docking_jobs');
    const stuck = two.call({ do: 'read', organizationId: 'org-0' }).catch(() => 'died');
    await until('it waits for the lock', async () => {
      const waiting = await deployment.administer(
        `select from pg_stat_activity where datname = $1 and wait_event_type = 'Lock'`,
        [deployment.databaseName('org-0')],
      );
      return waiting.length === 1;
    });
    await two.kill();
    expect(await stuck).to.equal('died');
    await settle([BUDGET - 1], one);
    await lock.release();
    await settle([BUDGET], one);
  });

  it('stays as it is while the metadata database is away', async () => {
    const metadata = await startTcpProxy(deployment.environment['DB_DATABASE_URL'] ?? '');
    try {
      const child = await startChildService({
        ...deployment.environment,
        ...throughProxies(deployment, { metadata }),
      });
      children.push(child);
      await child.call({ do: 'join' });
      await settle([BUDGET], child);
      await child.call({ do: 'write', organizationId: 'org-0', submittedBy: 'before' });
      metadata.refuse();
      metadata.reset();
      await until('it is known to be away', () =>
        child.call({ do: 'read', organizationId: 'org-1' }).then(
          () => false,
          ({ code }: ChildFailure) => code === 'database_unavailable',
        ),
      );
      expect(await shareOf(child)).to.equal(BUDGET);
      await child.call({ do: 'write', organizationId: 'org-0', submittedBy: 'meanwhile' });
      await metadata.resume();
      await until('it is back', () =>
        child.call({ do: 'read', organizationId: 'org-1' }).then(
          () => true,
          () => false,
        ),
      );
    } finally {
      await Promise.all(children.map((child) => child.stop()));
      metadata.close();
    }
  });
});
