import { expect } from 'chai';
import { getOverview } from '../../../application/operators/overview.ts';
import { OrganizationTraffic } from '../../../application/operators/organization-traffic.ts';
import { Gate, rejectionOf } from '../../support/gate.ts';
import { FakeOperators, FakeProcesses, idleProcess } from '../../support/fakes/fake-operators.ts';
import { FakeMetadata } from '../../support/fakes/fake-metadata.ts';
import { FakeServers } from '../../support/fakes/fake-servers.ts';
import { organization } from '../../support/fakes/fake-service.ts';

const [ACME, UMBRA] = [organization('acme'), organization('umbra')];

describe('The overview', () => {
  const metadata = new FakeMetadata();
  let processes: FakeProcesses;
  let operators: FakeOperators;
  let now: number;
  let overview: ReturnType<typeof getOverview>;

  beforeEach(() => {
    processes = new FakeProcesses();
    operators = new FakeOperators(metadata, processes);
    now = 1_000_000;
    overview = getOverview({
      operatorsLedger: operators,
      changeFeed: { isBehind: false },
      releaseSchemas: async () => ({ oldest: 1, newest: 2, current: 1 }),
      servers: new FakeServers(),
      metadata,
      now: () => now,
    });
  });

  it('is read once in two seconds, however many ask', async () => {
    const gate = new Gate();
    let readings = 0;
    const { standing } = operators;
    operators.standing = async () => {
      readings += 1;
      await gate.opened;
      return standing.call(operators);
    };
    const asked = [overview(), overview(), overview()];
    gate.open();
    await Promise.all(asked);
    now += 1999;
    await overview();
    expect(readings).to.equal(1);
    now += 1;
    await overview();
    expect(readings).to.equal(2);
    now -= 60_000;
    await overview();
    expect(readings, 'after the clock was set back').to.equal(3);
  });

  it('is read for no more than a twentieth of the time, however long a reading takes', async () => {
    let readings = 0;
    const { standing } = operators;
    operators.standing = async () => {
      readings += 1;
      now += 1000;
      return standing.call(operators);
    };
    await overview();
    now += 18_999;
    await overview();
    expect(readings).to.equal(1);
    now += 1;
    await overview();
    expect(readings).to.equal(2);
  });

  it('keeps no failure', async () => {
    const { standing } = operators;
    operators.standing = () => Promise.reject(new Error('the metadata database is away'));
    expect(String(await rejectionOf(overview()))).to.include('away');
    operators.standing = standing;
    expect((await overview()).processes.live).to.equal(0);
  });

  it('adds up what the processes say, the busiest organization first', async () => {
    const asks = (organizationId: typeof ACME, requestsPerSecond: number, open: number) => ({
      organizationId,
      requestsPerSecond,
      open,
      waiting: 1,
    });
    const start = new Date(now);
    await processes.beat('one', start, idleProcess({ requestsPerSecond: 7.5, busiest: [asks(ACME, 4, 2)] }));
    await processes.beat(
      'two',
      start,
      idleProcess({ requestsPerSecond: 3, busiest: [asks(UMBRA, 5.5, 1), asks(ACME, 2.1, 3)] }),
    );
    const { busiest, processes: counts } = await overview();
    expect(busiest).to.deep.equal([
      { organizationId: ACME, requestsPerSecond: 6.1, open: 5, waiting: 2 },
      { organizationId: UMBRA, requestsPerSecond: 5.5, open: 1, waiting: 1 },
    ]);
    expect(counts).to.deep.equal({ live: 2, silent: 0, requestsPerSecond: 10.5 });
  });
});

describe('The traffic of organizations', () => {
  let now: number;
  let traffic: OrganizationTraffic;
  const observe = (organizationId: typeof ACME | undefined, status: number, code?: string): void =>
    traffic.observe({ method: 'GET', route: '/jobs', seconds: 0, organizationId, status, code });

  beforeEach(() => {
    now = 0;
    traffic = new OrganizationTraffic(() => now);
  });

  it('is counted from one look to the next', () => {
    for (const id of [ACME, UMBRA, UMBRA, undefined]) observe(id, 200);
    now = 2000;
    expect(traffic.take()).to.deep.equal({
      seconds: 2,
      requests: 4,
      busiest: [
        { organizationId: UMBRA, requests: 2 },
        { organizationId: ACME, requests: 1 },
      ],
      failing: [],
      outages: [],
    });
    now = 3000;
    expect(traffic.take()).to.deep.equal({ seconds: 1, requests: 0, busiest: [], failing: [], outages: [] });
  });

  it('names an organization from its failure to its next success, or a minute without a request', () => {
    observe(ACME, 503, 'database_unavailable');
    observe(ACME, 503, 'organization_not_ready');
    observe(UMBRA, 500);
    observe(UMBRA, 404, 'job_not_found');
    const failing = [{ organizationId: ACME, code: 'organization_not_ready', failures: 2 }];
    expect(traffic.take().failing).to.deep.equal(failing);
    now = 60_000;
    expect(traffic.take().failing).to.deep.equal(failing);
    now = 60_001;
    expect(traffic.take().failing).to.deep.equal([]);
  });

  it('calls it an outage after twenty failures in a row, or a minute of nothing else', () => {
    for (let failures = 0; failures < 19; failures += 1) observe(ACME, 503);
    observe(UMBRA, 500);
    expect(traffic.take().outages).to.deep.equal([]);
    observe(ACME, 500);
    expect(traffic.take().outages).to.deep.equal([ACME]);
    observe(ACME, 200);
    now = 59_999;
    observe(UMBRA, 500);
    expect(traffic.take().outages).to.deep.equal([]);
    now = 60_000;
    observe(UMBRA, 500);
    expect(traffic.take().outages).to.deep.equal([UMBRA]);
    observe(UMBRA, 404);
    expect(traffic.take().outages).to.deep.equal([]);
    // Of one failed request it is not known whether the next one would fail as well.
    observe(ACME, 500);
    now = 120_000;
    expect(traffic.take().outages).to.deep.equal([]);
  });

  it('counts every outage, and forgets those that do not ask for a minute', () => {
    for (let at = 0; at < 50; at += 1)
      for (let failures = 0; failures < 20; failures += 1) observe(organization(`org${at}`), 503);
    expect(traffic.take().outages).to.have.length(50);
    now = 60_001;
    expect(traffic.take().outages).to.deep.equal([]);
  });

  it('names twenty at most', () => {
    for (let at = 0; at < 50; at += 1) observe(organization(`org${at}`), 503);
    const { busiest, failing } = traffic.take();
    expect([busiest.length, failing.length]).to.deep.equal([20, 10]);
  });
});
