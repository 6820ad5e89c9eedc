import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import type { AuditBacklog } from '../ports/audit/audit-backlog.ts';
import type { Logger } from '../ports/runtime/logger.ts';
import type { OutboxTraffic, RelayTimes } from './outbox-traffic.ts';
import type { Relayed } from './relay-outbox.ts';
import type { WriteAnnouncements } from './write-announcements.ts';

export interface OutboxRelayDeps {
  readonly announcements: WriteAnnouncements;
  readonly backlog: Pick<AuditBacklog, 'reclaimFromDead'>;
  /** Names this process among the writers. */
  readonly writer: string;
  /** Relays one organization's outbox, until it is empty or the others have waited long enough. */
  readonly relay: (organizationId: OrganizationId) => Promise<Pick<Relayed, 'hasMore'>>;
  readonly times: RelayTimes;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
  readonly logger: Logger;
}

const MAX_CONCURRENT = 4;
/** Of organizations whose last relay failed: the next one may fail as well, and after a long time. */
const MAX_RETRIES = 2;
/**
 * A server that hangs keeps each relay for some five seconds, and an organization that means to for as long as its turn's
 * limits let it. After this time it is in nobody's way any more.
 */
const SLOW_AFTER_MS = 2000;
/** With those that are slow. Each may hold a connection to the metadata database. */
const MOST_AT_ONCE = 20;

/** A relay that is under way. */
interface Relaying {
  readonly beganAt: number;
  readonly isRetry: boolean;
  readonly ended: Promise<void>;
}

/**
 * Brings the entries of the audit trail that writes leave in their organization's database to the metadata database,
 * soon after the write, while the pool is there anyway. Databases that fail or hang take few places, so that the others'
 * entries go on arriving. It holds no timer: a loop calls `look`. Decision 0015.
 */
export class OutboxRelay {
  readonly #deps: OutboxRelayDeps;
  /** Waiting to be relayed, the longest first; and those whose last relay failed. */
  readonly #fresh = new Set<OutboxTraffic>();
  readonly #retries = new Set<OutboxTraffic>();
  readonly #relaying = new Set<Relaying>();
  #reclaiming: Promise<void> | null = null;
  #reclaimedAt = -Infinity;
  #isClosing = false;
  #failures = 0;
  #oldestMs = 0;

  constructor(deps: OutboxRelayDeps) {
    this.#deps = deps;
  }

  /** Relays and searches for dead processes that failed since the start. */
  get failures(): number {
    return this.#failures;
  }

  /** How long entries had waited at the last look, in milliseconds: those that waited longest. */
  get oldestMs(): number {
    return this.#oldestMs;
  }

  open(): void {
    this.#reclaimedAt = -Infinity;
    this.#deps.announcements.open();
  }

  /** Begins what is due at this moment, and does not wait for it. */
  look(): void {
    const { announcements, times } = this.#deps;
    const now = this.#deps.now();
    if (this.#reclaiming === null && now - this.#reclaimedAt >= times.reclaimEveryMs) {
      this.#reclaimedAt = now;
      this.#reclaiming = this.#reclaim().finally(() => {
        this.#reclaiming = null;
      });
    }
    this.#oldestMs = 0;
    for (const traffic of announcements.traffics()) {
      this.#oldestMs = Math.max(this.#oldestMs, now - (traffic.unrelayedSince ?? now));
      if (traffic.isRelayDue(now)) this.#queue(traffic);
    }
    announcements.settle();
    this.#relayDue();
  }

  /** Resolves when all that was begun is over. */
  async settled(): Promise<void> {
    await this.#reclaiming;
    while (this.#relaying.size > 0) await Promise.all(Array.from(this.#relaying, ({ ended }) => ended));
  }

  /** Relays what there is, once more, and stops. What cannot be relayed stays for another process. Never rejects. */
  async close(): Promise<void> {
    const { announcements } = this.#deps;
    this.#isClosing = true;
    // There may be little time: nobody waits for those that are under way.
    for (const traffic of announcements.traffics()) if (traffic.isRelayDue(Infinity)) this.#queue(traffic);
    this.#relayDue();
    await this.settled();
    // What was written, or inherited, meanwhile, and another turn of what had more. Then the rest is another process's.
    for (const traffic of announcements.traffics())
      if (traffic.isDirty && !traffic.hasFailed) this.#queue(traffic);
    this.#relayDue();
    await this.settled();
    await announcements.close();
  }

  #queue(traffic: OutboxTraffic): void {
    (traffic.hasFailed ? this.#retries : this.#fresh).add(traffic);
  }

  #relayDue(): void {
    const begun = [...this.#relaying];
    const free = MOST_AT_ONCE - begun.length;
    if (this.#isClosing) {
      // There may be little time: those that failed come last.
      this.#begin(this.#retries, free - this.#begin(this.#fresh, free));
      return;
    }
    const slowSince = this.#deps.now() - SLOW_AFTER_MS;
    const fast = begun.filter(({ beganAt }) => beganAt > slowSince).length;
    const places = Math.min(free, MAX_CONCURRENT - fast);
    // First, but few: otherwise those that always have more could keep them out.
    const retries = MAX_RETRIES - begun.filter(({ isRetry }) => isRetry).length;
    this.#begin(this.#fresh, places - this.#begin(this.#retries, Math.min(places, retries)));
  }

  /** @returns how many it has begun to relay; looks at no more than that */
  #begin(waiting: Set<OutboxTraffic>, most: number): number {
    let count = 0;
    while (count < most) {
      const [traffic] = waiting;
      if (traffic === undefined) break;
      waiting.delete(traffic);
      count += 1;
      const isRetry = traffic.hasFailed;
      traffic.relayBegan();
      const ended = this.#relay(traffic).finally(() => {
        this.#relaying.delete(relaying);
        this.#relayDue();
      });
      const relaying = { beganAt: this.#deps.now(), isRetry, ended };
      this.#relaying.add(relaying);
    }
    return count;
  }

  /** Never rejects. */
  async #relay(traffic: OutboxTraffic): Promise<void> {
    const { relay, now, logger } = this.#deps;
    try {
      const { hasMore } = await relay(traffic.organizationId);
      if (!hasMore) {
        traffic.relaySucceeded();
        return;
      }
      traffic.relayPaused();
      // At the end of the line: the others come first. At a stop there are no more turns than two.
      if (!this.#isClosing) this.#queue(traffic);
    } catch (error) {
      this.#failures += 1;
      const failures = traffic.relayFailed(now());
      logger.write(failures === 1 ? 'outbox.relay_failed' : 'outbox.relay_failed_again', {
        err: error,
        org_id: traffic.organizationId,
      });
    }
  }

  /** Never rejects. */
  async #reclaim(): Promise<void> {
    const { announcements, backlog, writer, times, logger } = this.#deps;
    try {
      for (const organizationId of await backlog.reclaimFromDead(writer, times.silentForMs))
        announcements.inherit(organizationId);
    } catch (error) {
      this.#failures += 1;
      logger.write('outbox.search_failed', { err: error });
    }
  }
}
