import { expect } from 'chai';
import { toBeat, writeFacts } from '../../../adapters/knex/metadata/process-facts.ts';
import { parseServerId } from '../../../domain/databases/server.ts';
import { idleProcess } from '../../support/fakes/fake-operators.ts';
import { organization } from '../../support/fakes/fake-service.ts';

const LONGEST = 'x'.repeat(49);
const busiest = Array.from({ length: 20 }, (_, at) => ({
  organizationId: organization(`${LONGEST}${at}`),
  requestsPerSecond: 12_345.6 - at,
  open: 15,
  waiting: 200,
}));
const failing = Array.from({ length: 10 }, (_, at) => ({
  organizationId: organization(`${LONGEST}${at}`),
  code: 'connection_budget_exhausted',
  failures: 1_000_000,
}));
const servers = Array.from({ length: 20 }, (_, at) => ({
  serverId: parseServerId(`${'s'.repeat(28)}${at}`),
  circuit: 'half-open' as const,
  open: 10_000,
  share: 10_000,
  waiting: 1000,
}));
const read = (facts: string) =>
  toBeat({ instance_id: 'one', started_ms: 0, beat_ms: 0, age_seconds: 0, facts });

describe('What a process says of itself', () => {
  it('is read as it was written', () => {
    const facts = idleProcess({
      busiest: busiest.slice(0, 3),
      failing: failing.slice(0, 2),
      servers: servers.slice(0, 2),
    });
    expect(read(writeFacts(facts))).to.deep.include(facts);
  });

  it('has 2 KiB at most: the least busy organizations are left out first, then those that fail', () => {
    const text = writeFacts(idleProcess({ busiest, failing, servers: servers.slice(0, 2) }));
    expect(Buffer.byteLength(text)).to.be.within(1900, 2048);
    const beat = read(text);
    expect(beat.busiest).to.deep.equal(busiest.slice(0, beat.busiest.length));
    expect(beat.busiest.length).to.be.within(3, 19);
    expect([beat.failing.length, beat.servers.length]).to.deep.equal([10, 2]);
    const crowded = read(writeFacts(idleProcess({ busiest, failing, servers })));
    expect(crowded.busiest).to.deep.equal([]);
    expect(crowded.servers.length).to.be.greaterThan(10);
  });
});
