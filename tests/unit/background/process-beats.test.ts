import { expect } from 'chai';
import { OrganizationTraffic } from '../../../application/operators/organization-traffic.ts';
import { ProcessBeats } from '../../../infrastructure/background/process-beats.ts';
import { FakeProcesses } from '../../support/fakes/fake-operators.ts';
import { organization } from '../../support/fakes/fake-service.ts';

describe('The beats of a process', () => {
  const ids = Array.from({ length: 12 }, (_, at) => organization(`org${at}`));
  let traffic: OrganizationTraffic;
  let beats: ProcessBeats;
  let lines: [event: string, fields: object][];

  beforeEach(() => {
    traffic = new OrganizationTraffic();
    lines = [];
    beats = new ProcessBeats({
      instanceId: '00000000-0000-4000-8000-000000000001',
      version: '1.2.3',
      ledger: new FakeProcesses(),
      traffic,
      manager: {
        counts: () => ({
          pools: 0,
          draining: 0,
          leases: 0,
          connections: 0,
          removals: { evict: 0, expire: 0, invalidate: 0, retire: 0 },
          leaks: 0,
          misplaced: 0,
        }),
        metadata: { snapshot: () => ({ open: 0, idle: 0, inUse: 0, waiting: 0 }) },
        peek: () => null,
      },
      servers: [],
      metadataBreaker: { state: 'closed' },
      logger: { write: (event, fields) => void lines.push([event, fields]) },
    });
  });

  const answer = (status: number, times: number): void => {
    for (const organizationId of ids)
      for (let time = 0; time < times; time += 1)
        traffic.observe({ method: 'GET', route: '/jobs', seconds: 0, organizationId, status });
  };

  it('say once which organizations get nothing but errors, ten by name, and when that is over', async () => {
    answer(503, 20);
    await beats.run();
    await beats.run();
    expect(beats.organizationsFailing).to.equal(12);
    const named = { org_ids: ids.slice(0, 10), count: 12 };
    expect(lines).to.deep.equal([['organizations.failing', named]]);
    answer(200, 1);
    await beats.run();
    expect(beats.organizationsFailing).to.equal(0);
    expect(lines).to.deep.equal([
      ['organizations.failing', named],
      ['organizations.recovered', named],
    ]);
  });

  it('measure the event loop between one and the next', async () => {
    expect(beats.loopUtilization).to.equal(0);
    await beats.run();
    expect(beats.loopUtilization).to.be.within(0, 1);
  });
});
