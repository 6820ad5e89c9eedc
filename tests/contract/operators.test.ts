import { expect } from 'chai';
import type { Finding } from '../../application/ports/databases/database-upkeep.ts';
import { DEFAULT_SERVER } from '../../domain/databases/server.ts';
import { organizationId } from '../support/deployment.ts';
import { idleProcess } from '../support/fakes/fake-operators.ts';
import { METADATA, type MetadataSubject, type Subject } from './subjects.ts';

const [FIRST, SECOND] = ['00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000002'];
const EARLIER = new Date('2026-01-02T03:04:05.678Z');
const LATER = new Date('2026-01-02T03:04:06.789Z');

const finding = (fields: Partial<Finding> = {}): Finding => ({
  kind: 'orphan',
  serverId: DEFAULT_SERVER,
  database: 'mad_results_acme',
  organizationId: organizationId('acme'),
  action: 'quarantined',
  ...fields,
});

const showsTheDeployment = (subject: Subject<MetadataSubject>): void => {
  let all: MetadataSubject;

  before(() => subject.open());
  after(() => subject.close());
  beforeEach(async () => {
    all = await subject.empty();
  });

  it('lists processes in the order of their start, as each described itself last', async () => {
    const { processes } = all;
    const busiest = [{ organizationId: organizationId('acme'), requestsPerSecond: 1.5, open: 2, waiting: 0 }];
    const servers = [{ serverId: DEFAULT_SERVER, circuit: 'open', open: 1, share: 40, waiting: 3 } as const];
    const failing = [{ organizationId: organizationId('umbra'), code: 'database_unavailable', failures: 4 }];
    await processes.beat(SECOND, LATER, idleProcess());
    await processes.beat(FIRST, EARLIER, idleProcess());
    await processes.beat(FIRST, EARLIER, idleProcess({ busiest, servers, failing }));
    const listed = await processes.list();
    expect(listed.map(({ instanceId, startedAt }) => [instanceId, startedAt])).to.deep.equal([
      [FIRST, EARLIER],
      [SECOND, LATER],
    ]);
    expect(listed[0]).to.deep.include({ ...idleProcess(), busiest, servers, failing });
    expect(listed[0]?.ageSeconds).to.be.within(0, 60);
    expect((await all.operators.standing()).processes.map((beat) => beat.instanceId)).to.deep.equal([
      FIRST,
      SECOND,
    ]);
  });

  it('forgets a process that leaves', async () => {
    await all.processes.beat(FIRST, EARLIER, idleProcess());
    await all.processes.leave(FIRST);
    await all.processes.leave(SECOND);
    expect(await all.processes.list()).to.deep.equal([]);
  });

  it('counts organizations that are alike together, and names the first few', async () => {
    const ids = ['b', 'a', 'c', 'd', 'e', 'f', 'g'].map((id) => organizationId(id));
    for (const id of ids) await all.metadata.organizations.insert({ id, name: id });
    for (const id of ids.slice(0, 6)) await all.addDatabase(id, 'ready');
    expect(await all.operators.groupOrganizations()).to.have.deep.members([
      {
        status: 'active',
        serverId: DEFAULT_SERVER,
        state: 'ready',
        schemaVersion: 1,
        count: 6,
        sample: ['a', 'b', 'c', 'd', 'e'],
      },
      { status: 'active', serverId: null, state: null, schemaVersion: null, count: 1, sample: ['g'] },
    ]);
  });

  it('keeps the last pass of the reconciler alone', async () => {
    const { operators } = all;
    expect(await operators.lastPass()).to.equal(null);
    expect((await operators.standing()).pass).to.equal(null);
    const common = { origin: 'start', dryRun: true, beganAt: EARLIER, endedAt: EARLIER } as const;
    const first = {
      ...common,
      unreachable: [],
      findings: [finding()],
      summary: { orphan: { quarantined: 1 } },
    };
    await operators.recordPass(first);
    expect(await operators.lastPass()).to.deep.equal(first);
    const second = {
      origin: 'operator',
      dryRun: false,
      beganAt: EARLIER,
      endedAt: LATER,
      unreachable: [{ serverId: DEFAULT_SERVER, reason: 'no ‘answer’ \\ "?"' }],
      findings: [finding({ kind: 'stale-spare', organizationId: null, action: 'dropped' })],
      summary: { orphan: { quarantined: 1000, failed: 1 }, 'stale-spare': { dropped: 1 } },
    } as const;
    await operators.recordPass(second);
    expect(await operators.lastPass()).to.deep.equal(second);
    const { origin, dryRun, endedAt, summary } = second;
    expect((await operators.standing()).pass).to.deep.equal({ origin, dryRun, endedAt, summary });
  });
};

for (const subject of METADATA) {
  describe(`What operators see of the deployment, ${subject.name}`, function () {
    this.timeout(60_000);
    showsTheDeployment(subject);
  });
}
