import { setImmediate as turnOfLoop } from 'node:timers/promises';
import { expect } from 'chai';
import { OutboxRelay } from '../../../application/audit/outbox-relay.ts';
import { RELAY_TIMES } from '../../../application/audit/outbox-traffic.ts';
import { WriteAnnouncements } from '../../../application/audit/write-announcements.ts';
import { parseOrganizationId, type OrganizationId } from '../../../domain/organizations/organization-id.ts';
import { FakeAuditBacklog } from '../../support/fakes/fake-audit-backlog.ts';
import { Gate } from '../../support/gate.ts';
import { FakeLogger } from '../../support/fakes/fake-logger.ts';

const ACME = parseOrganizationId('acme', 51);
const BETA = parseOrganizationId('beta', 51);
const { gatherMs, restMs, repeatMs, silentForMs, reclaimEveryMs } = RELAY_TIMES;

describe('the relay of audit entries', () => {
  let backlog: FakeAuditBacklog;
  let announcements: WriteAnnouncements;
  let relay: OutboxRelay;
  let now: number;
  let relayed: string[];
  let outbox: Map<string, number>;
  let refusing: boolean;
  let warnings: string[];
  /** Awaited in the middle of each relay. */
  let passage: () => Promise<void>;
  /** Their outboxes are never empty. */
  let endless: Set<string>;
  /** How often the relay has read the clock. */
  let looks: number;

  beforeEach(() => {
    backlog = new FakeAuditBacklog();
    now = 1_000_000;
    relayed = [];
    outbox = new Map();
    refusing = false;
    warnings = [];
    passage = () => Promise.resolve();
    endless = new Set();
    looks = 0;
    const deps = {
      backlog,
      writer: 'this process',
      times: RELAY_TIMES,
      now: () => now,
      logger: new FakeLogger(({ level, message }) => {
        if (level === 'warn') warnings.push(message);
      }),
    };
    announcements = new WriteAnnouncements(deps);
    const countedNow = (): number => {
      looks += 1;
      return now;
    };
    relay = new OutboxRelay({ ...deps, now: countedNow, announcements, relay: relayOne });
  });

  const relayOne = async (organizationId: OrganizationId): Promise<{ hasMore: boolean }> => {
    relayed.push(organizationId);
    if (refusing) throw new Error('the organization is busy');
    outbox.set(organizationId, 0);
    await passage();
    return { hasMore: endless.has(organizationId) };
  };
  /** A write as the database's watcher sees it. */
  const write = async (organizationId = ACME, work: () => unknown = () => undefined): Promise<void> => {
    try {
      await announcements.begin(organizationId);
      await work();
      outbox.set(organizationId, (outbox.get(organizationId) ?? 0) + 1);
    } finally {
      announcements.end(organizationId);
    }
  };
  /** One look, so much later, and what it brings about. */
  const lookAfter = async (ms: number): Promise<void> => {
    now += ms;
    relay.look();
    await relay.settled();
    // What was announced or withdrawn needs no more than the fake's microtasks.
    await new Promise((resolve) => setImmediate(resolve));
  };
  const announcementsMade = () => backlog.calls.filter((call) => call.startsWith('announce'));

  it('announces the first write before it, relays at the next look, and withdraws after a rest', async () => {
    relay.open();
    await write(ACME, () => expect([...backlog.announced]).to.deep.equal([ACME]));
    await lookAfter(gatherMs);
    expect(outbox.get(ACME)).to.equal(0);
    await lookAfter(restMs - gatherMs);
    expect([...backlog.announced]).to.deep.equal([ACME]);
    await lookAfter(1);
    expect(backlog.calls).to.deep.equal(['announce acme', 'withdraw acme']);
    await lookAfter(restMs);
    expect(backlog.calls, 'nothing more to say of it').to.have.length(2);
  });

  it('announces many writes at a time once', async () => {
    relay.open();
    await Promise.all(Array.from({ length: 20 }, () => write()));
    expect(announcementsMade()).to.deep.equal(['announce acme']);
  });

  it('relays again what was written while it relayed', async () => {
    relay.open();
    const gate = new Gate();
    passage = () => gate.pass();
    await write();
    relay.look();
    await gate.reached;
    await write();
    relay.look();
    expect([outbox.get(ACME), relayed]).to.deep.equal([1, [ACME]]);
    gate.open();
    await relay.settled();
    await lookAfter(gatherMs);
    expect([outbox.get(ACME), relayed]).to.deep.equal([0, [ACME, ACME]]);
  });

  it('says how long the oldest entries have waited, also while writes go on', async () => {
    relay.open();
    await lookAfter(0);
    expect(relay.oldestMs).to.equal(0);
    refusing = true;
    await write();
    await lookAfter(1000);
    await write();
    await lookAfter(4000);
    expect(relay.oldestMs).to.equal(5000);
    refusing = false;
    const gate = new Gate();
    passage = () => gate.pass();
    now += 60_000;
    relay.look();
    await gate.reached;
    await write();
    gate.open();
    await relay.settled();
    now += 700;
    relay.look();
    expect(relay.oldestMs, 'of the write during the relay').to.equal(700);
    await relay.settled();
    await lookAfter(1);
    expect(relay.oldestMs).to.equal(0);
  });

  it('relays four organizations at a time, and the others as soon as one is through', async () => {
    relay.open();
    const gate = new Gate();
    passage = () => gate.pass();
    const ids = ['a', 'b', 'c', 'd', 'e', 'f'].map((id) => parseOrganizationId(id, 51));
    for (const id of ids) await write(id);
    relay.look();
    expect(relayed).to.deep.equal(ids.slice(0, 4));
    gate.open();
    await relay.settled();
    expect(relayed).to.deep.equal(ids);
  });

  it('gives the places of relays that take long to others: a server that hangs holds up its own organizations', async () => {
    relay.open();
    const gate = new Gate();
    passage = () => gate.pass();
    const hanging = Array.from({ length: 30 }, (_, n) => parseOrganizationId(`hanging-${n}`, 51));
    for (const id of hanging.slice(0, 4)) await write(id);
    relay.look();
    await write();
    now += 1999;
    relay.look();
    expect(relayed).to.deep.equal(hanging.slice(0, 4));
    now += 1;
    relay.look();
    expect(relayed.slice(4)).to.deep.equal([ACME]);
    for (const id of hanging.slice(4)) await write(id);
    for (let n = 0; n < 20; n += 1) {
      now += 2000;
      relay.look();
    }
    expect(relayed, 'and no more than that').to.have.length(20);
    gate.open();
    await relay.settled();
    expect(relayed).to.have.members([ACME, ...hanging]);
  });

  it('keeps places free of organizations whose last relay failed', async () => {
    relay.open();
    refusing = true;
    const failing = Array.from({ length: 6 }, (_, n) => parseOrganizationId(`failing-${n}`, 51));
    for (const id of failing) await write(id);
    await lookAfter(gatherMs);
    expect(relayed.splice(0)).to.deep.equal(failing);
    refusing = false;
    const gate = new Gate();
    passage = () => gate.pass();
    now += 60_000;
    relay.look();
    await write();
    relay.look();
    expect(relayed).to.deep.equal([...failing.slice(0, 2), ACME]);
    now += 60_000;
    relay.look();
    expect(relayed, 'however long they take').to.have.length(3);
    gate.open();
    await relay.settled();
    expect(relayed).to.have.members([ACME, ...failing]);
  });

  it('comes to everyone, though the outboxes of some are never empty', async () => {
    relay.open();
    refusing = true;
    const flooding = Array.from({ length: 6 }, (_, n) => parseOrganizationId(`flooding-${n}`, 51));
    for (const id of [...flooding, ACME]) await write(id);
    await lookAfter(gatherMs);
    refusing = false;
    for (const id of flooding) endless.add(id);
    await write(BETA);
    now += 60_000;
    relayed.length = 0;
    passage = () => turnOfLoop();
    relay.look();
    for (let turns = 0; turns < 6; turns += 1) await turnOfLoop();
    expect(relayed).to.include.members([ACME, BETA, ...flooding]);
    expect(relayed.length, 'those that have more go on').to.be.above(8);
    endless.clear();
    await relay.settled();
    expect([...outbox.values()]).to.deep.equal(Array.from({ length: 8 }, () => 0));
  });

  it('gives whoever has more another turn at its end, and leaves the rest to its heir', async () => {
    relay.open();
    endless.add(ACME);
    await write();
    await relay.close();
    expect(relayed).to.deep.equal([ACME, ACME]);
    expect([...backlog.announced], 'another process will inherit it').to.deep.equal([ACME]);
    expect(warnings).to.be.empty;
  });

  for (const [whose, fail] of [
    ['were never tried', false],
    ['failed', true],
  ] as const)
    it(`looks at few of thousands that wait for a place: those that ${whose}`, async () => {
      relay.open();
      const ids = Array.from({ length: 2000 }, (_, n) => parseOrganizationId(`waiting-${n}`, 51));
      for (const id of ids) await write(id);
      refusing = fail;
      if (fail) await lookAfter(gatherMs);
      refusing = false;
      const gates: Gate[] = [];
      passage = () => {
        const gate = new Gate();
        gates.push(gate);
        return gate.pass();
      };
      relayed.length = 0;
      now += 60_000;
      relay.look();
      looks = 0;
      gates[0]?.open();
      await turnOfLoop();
      expect(relayed, 'one place was free').to.have.length(fail ? 3 : 5);
      expect(looks).to.be.below(10);
      passage = () => Promise.resolve();
      for (const gate of gates) gate.open();
      await relay.settled();
      expect(relayed).to.have.length(2000);
    });

  it('announces anew a write that begins while it withdraws', async () => {
    relay.open();
    await write();
    await lookAfter(gatherMs);
    const gate = new Gate();
    backlog.gate = gate.opened;
    await lookAfter(restMs + 1);
    expect(backlog.calls).to.deep.equal(['announce acme', 'withdraw acme']);
    let standing: boolean | undefined;
    const writing = write(ACME, () => {
      standing = backlog.announced.has(ACME);
    });
    gate.open();
    await writing;
    expect(standing).to.equal(true);
  });

  it('relays after a write that failed: the server may have committed it', async () => {
    relay.open();
    await write(ACME, () => Promise.reject(new Error('the connection broke'))).catch(() => undefined);
    await lookAfter(gatherMs);
    expect(relayed).to.deep.equal([ACME]);
  });

  it('holds no write up for long while the metadata database stalls, and announces it later', async () => {
    relay.open();
    refusing = true;
    const gate = new Gate();
    backlog.gate = gate.opened;
    const before = performance.now();
    await write();
    expect(performance.now() - before).to.be.below(500);
    expect(backlog.announced.size).to.equal(0);
    gate.open();
    await lookAfter(gatherMs);
    expect([...backlog.announced]).to.deep.equal([ACME]);
  });

  it('announces again a second after the metadata database refused', async () => {
    relay.open();
    backlog.isAway = true;
    await write();
    await write();
    expect(announcementsMade()).to.have.length(1);
    refusing = true;
    await lookAfter(999);
    expect(announcementsMade()).to.have.length(1);
    backlog.isAway = false;
    await lookAfter(1);
    expect([...backlog.announced]).to.deep.equal([ACME]);
  });

  it('tries again with growing pauses, warns once, and stands announced meanwhile', async () => {
    relay.open();
    refusing = true;
    await write();
    await lookAfter(gatherMs);
    expect(relayed).to.have.length(1);
    await lookAfter(249);
    expect(relayed).to.have.length(1);
    await lookAfter(1);
    expect(relayed).to.have.length(2);
    await lookAfter(499);
    expect(relayed).to.have.length(2);
    await lookAfter(restMs);
    expect(relayed).to.have.length(3);
    expect([[...backlog.announced], warnings.length, relay.failures]).to.deep.equal([[ACME], 1, 3]);
    refusing = false;
    await lookAfter(restMs);
    expect(outbox.get(ACME)).to.equal(0);
  });

  it('repeats an announcement that stands while there is work, well before it counts as dead', async () => {
    relay.open();
    const gate = new Gate();
    const writing = write(ACME, () => gate.pass());
    await gate.reached;
    await lookAfter(repeatMs);
    expect(announcementsMade()).to.have.length(1);
    await lookAfter(1);
    expect(announcementsMade()).to.have.length(2);
    gate.open();
    await writing;
  });

  it('has a write wait for its announcement when the last one is old', async () => {
    relay.open();
    await write();
    now += silentForMs / 2 - 1;
    await write();
    expect(announcementsMade()).to.have.length(1);
    now += 1;
    await write();
    expect(announcementsMade()).to.have.length(2);
  });

  it('relays what dead processes have left, and nothing of organizations that nobody wrote to', async () => {
    outbox.set(BETA, 3);
    backlog.left = [BETA];
    relay.open();
    await lookAfter(0);
    await lookAfter(gatherMs);
    expect([outbox.get(BETA), relayed]).to.deep.equal([0, [BETA]]);
    await lookAfter(restMs + 1);
    expect(backlog.announced.size).to.equal(0);
  });

  it('looks for dead processes at the start and every half minute, and goes on when that fails', async () => {
    relay.open();
    backlog.isAway = true;
    await lookAfter(0);
    await lookAfter(reclaimEveryMs - 1);
    expect(backlog.searches).to.equal(1);
    await lookAfter(1);
    expect([backlog.searches, relay.failures]).to.deep.equal([2, 2]);
  });

  it('relays the rest when it is closed, and leaves its announcement when it cannot', async () => {
    relay.open();
    await Promise.all([write(ACME), write(BETA)]);
    await relay.close();
    expect([...outbox.values(), backlog.announced.size]).to.deep.equal([0, 0, 0]);

    relay.open();
    refusing = true;
    await write();
    await relay.close();
    expect([...backlog.announced]).to.deep.equal([ACME]);
  });

  it('waits for nobody before it relays the rest, when it is closed', async () => {
    relay.open();
    const gate = new Gate();
    refusing = true;
    await write(BETA);
    await lookAfter(gatherMs);
    refusing = false;
    passage = () => gate.pass();
    const hanging = ['a', 'b', 'c', 'd'].map((id) => parseOrganizationId(id, 51));
    for (const id of hanging) await write(id);
    relay.look();
    await write();
    const closed = relay.close();
    expect(relayed.splice(0)).to.deep.equal([BETA, ...hanging, ACME, BETA]);
    await write();
    gate.open();
    await closed;
    expect(relayed, 'what was written meanwhile').to.deep.equal([ACME]);
    expect(backlog.announced.size).to.equal(0);
  });

  it('says nothing of writes before it is opened, nor after it is closed', async () => {
    await write();
    await lookAfter(0);
    expect([backlog.calls, relayed]).to.deep.equal([[], []]);
    relay.open();
    await relay.close();
    await write();
    expect([backlog.calls, relayed]).to.deep.equal([[], []]);
  });
});
