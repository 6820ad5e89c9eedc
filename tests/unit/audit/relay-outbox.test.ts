import { setImmediate as turnOfLoop } from 'node:timers/promises';
import { expect } from 'chai';
import { OutboxRelay } from '../../../application/audit/outbox-relay.ts';
import { RELAY_TIMES } from '../../../application/audit/outbox-traffic.ts';
import { relayOutbox, RELAY_TURN } from '../../../application/audit/relay-outbox.ts';
import { WriteAnnouncements } from '../../../application/audit/write-announcements.ts';
import type {
  ResultsRepositories,
  StatementLimits,
} from '../../../application/ports/databases/results-database.ts';
import { DEFAULT_SERVER } from '../../../domain/databases/server.ts';
import { parseOrganizationId, type OrganizationId } from '../../../domain/organizations/organization-id.ts';
import { FakeAuditBacklog } from '../../support/fakes/fake-audit-backlog.ts';
import { FakeLogger } from '../../support/fakes/fake-logger.ts';
import { FakeResults } from '../../support/fakes/fake-results.ts';

const ACME = parseOrganizationId('acme', 51);
const FLOODING = ['beta', 'gamma'].map((id) => parseOrganizationId(id, 51));

/** A database of whose outbox each batch takes some time. */
class Outbox extends FakeResults {
  readonly limits: (StatementLimits | undefined)[] = [];
  left = 0;
  taken = 0;
  isLocked = false;
  onTake: () => Promise<void> = () => Promise.resolve();

  override readonly auditOutbox: ResultsRepositories['auditOutbox'] = {
    take: async (limit) => {
      await this.onTake();
      if (this.isLocked) throw new Error('the table is locked');
      const count = Math.min(limit, this.left);
      this.left -= count;
      const rows = Array.from({ length: count }, (_, n) => ({
        audit_id: `00000000-0000-4000-8000-${String(this.taken + n).padStart(12, '0')}`,
        action: 'job.told',
      }));
      this.taken += count;
      return { count, rows };
    },
  };

  override transaction<Result>(
    work: (repositories: ResultsRepositories) => Promise<Result>,
    limits?: StatementLimits,
  ): Promise<Result> {
    this.limits.push(limits);
    return super.transaction(work);
  }
}

describe("the relay of one organization's outbox", () => {
  let outboxes: Map<OrganizationId, Outbox>;
  let backlog: FakeAuditBacklog;
  let now: number;
  let leases: number;
  let relay: ReturnType<typeof relayOutbox>;

  beforeEach(() => {
    outboxes = new Map();
    backlog = new FakeAuditBacklog();
    now = 1_000_000;
    leases = 0;
    relay = relayOutbox({
      databases: {
        acquireExisting: async (organizationId) => {
          leases += 1;
          const release = (): void => void (leases -= 1);
          const cost = { queries: 0, waitedMs: 0, dbMs: 0 };
          return { database: outboxOf(organizationId), serverId: DEFAULT_SERVER, cost, release };
        },
      },
      backlog,
      logger: new FakeLogger(),
      now: () => 0,
      clock: () => now,
    });
  });

  const outboxOf = (organizationId: OrganizationId = ACME): Outbox => {
    const outbox = outboxes.get(organizationId) ?? new Outbox();
    outboxes.set(organizationId, outbox);
    return outbox;
  };
  const openRelay = (): { announcements: WriteAnnouncements; relays: OutboxRelay } => {
    const deps = { backlog, writer: 'this process', times: RELAY_TIMES, logger: new FakeLogger() };
    const announcements = new WriteAnnouncements({ ...deps, now: () => now });
    const relays = new OutboxRelay({ ...deps, announcements, relay, now: () => now });
    relays.open();
    return { announcements, relays };
  };

  it('takes a turn of so many batches, and says that there is more', async () => {
    const outbox = outboxOf();
    outbox.left = 26 * 200;
    expect(await relay(ACME)).to.deep.equal({ count: 25 * 200, hasMore: true });
    expect([outbox.left, leases]).to.deep.equal([200, 0]);
    expect(await relay(ACME)).to.deep.equal({ count: 200, hasMore: false });
    expect(new Set(backlog.delivered.map(({ auditId }) => auditId))).to.have.property('size', 26 * 200);
  });

  it('takes a turn of so long, and lets each batch take no longer than the service wants', async () => {
    const outbox = outboxOf();
    outbox.left = 26 * 200;
    outbox.onTake = async () => {
      now += RELAY_TURN.ms / 2;
    };
    expect(await relay(ACME)).to.deep.equal({ count: 400, hasMore: true });
    expect(outbox.limits).to.deep.equal([RELAY_TURN.limits, RELAY_TURN.limits]);
  });

  it('comes again to what had more until all has arrived', async () => {
    const { announcements, relays } = openRelay();
    outboxOf().left = 26 * 200;
    announcements.inherit(ACME);
    relays.look();
    await relays.settled();
    expect([outboxOf().left, backlog.delivered.length]).to.deep.equal([0, 26 * 200]);
    now += 1;
    relays.look();
    expect([relays.oldestMs, relays.failures]).to.deep.equal([0, 0]);
  });

  it('comes to whoever failed once, while two that failed as well write faster than it takes', async () => {
    const { announcements, relays } = openRelay();
    const all = [...FLOODING, ACME];
    for (const id of all) {
      outboxOf(id).isLocked = true;
      announcements.inherit(id);
    }
    relays.look();
    await relays.settled();
    expect(relays.failures).to.equal(3);
    for (const id of all) outboxOf(id).isLocked = false;
    for (const id of FLOODING)
      outboxOf(id).onTake = async () => {
        await turnOfLoop();
        outboxOf(id).left = 1000;
      };
    outboxOf().left = 1;
    now += 60_000;
    relays.look();
    for (let turns = 0; turns < 200 && outboxOf().left > 0; turns += 1) await turnOfLoop();
    expect(outboxOf().left).to.equal(0);
    for (const id of FLOODING) outboxOf(id).onTake = () => Promise.resolve();
    await relays.settled();
  });
});
