import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import type { AuditBacklog } from '../ports/audit/audit-backlog.ts';
import type { Logger } from '../ports/runtime/logger.ts';
import type { OutboxTraffic, RelayTimes } from './outbox-traffic.ts';
import type { WriteAnnouncements } from './write-announcements.ts';

export interface OutboxRelayDeps {
  readonly announcements: WriteAnnouncements;
  readonly backlog: Pick<AuditBacklog, 'reclaimFromDead'>;
  /** Names this process among the writers. */
  readonly writer: string;
  /** Relays one organization's outbox until it is empty. */
  readonly relay: (organizationId: OrganizationId) => Promise<number>;
  readonly times: RelayTimes;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
  readonly logger: Logger;
}

const MAX_CONCURRENT = 4;
/** Of organizations whose last relay failed: the next one may fail as well, and after a long time. */
const MAX_RETRIES = 2;
/** A server that hangs keeps each relay for some five seconds. After this time it is in nobody's way any more. */
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
  /** Waiting to be relayed, the longest first. */
  readonly #due = new Set<OutboxTraffic>();
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
      if (traffic.isRelayDue(now)) this.#due.add(traffic);
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
    // There may be little time: those that failed come last, and nobody waits for those that are under way.
    const waiting = announcements.traffics().filter((traffic) => traffic.isRelayDue(Infinity));
    this.#due.clear();
    for (const traffic of waiting.toSorted((a, b) => Number(a.hasFailed) - Number(b.hasFailed)))
      this.#due.add(traffic);
    this.#relayDue();
    await this.settled();
    // What was written, or inherited, meanwhile.
    for (const traffic of announcements.traffics())
      if (traffic.isDirty && !traffic.hasFailed) this.#due.add(traffic);
    this.#relayDue();
    await this.settled();
    await announcements.close();
  }

  #relayDue(): void {
    for (const traffic of this.#due) {
      const isRetry = traffic.hasFailed;
      if (!this.#hasPlace({ isRetry })) continue;
      this.#due.delete(traffic);
      traffic.relayBegan();
      const ended = this.#relay(traffic).finally(() => {
        this.#relaying.delete(relaying);
        this.#relayDue();
      });
      const relaying = { beganAt: this.#deps.now(), isRetry, ended };
      this.#relaying.add(relaying);
    }
  }

  #hasPlace({ isRetry }: Pick<Relaying, 'isRetry'>): boolean {
    const begun = [...this.#relaying];
    if (begun.length >= MOST_AT_ONCE) return false;
    if (this.#isClosing) return true;
    const slowSince = this.#deps.now() - SLOW_AFTER_MS;
    return (
      begun.filter(({ beganAt }) => beganAt > slowSince).length < MAX_CONCURRENT &&
      (!isRetry || begun.filter((each) => each.isRetry).length < MAX_RETRIES)
    );
  }

  /** Never rejects. */
  async #relay(traffic: OutboxTraffic): Promise<void> {
    const { relay, now, logger } = this.#deps;
    try {
      await relay(traffic.organizationId);
      traffic.relaySucceeded();
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
