import type { AuditBacklog } from '../../application/ports/audit/audit-backlog.ts';
import type { Logger } from '../../application/ports/runtime/logger.ts';
import type { WriteWatcher } from '../../application/ports/audit/write-watcher.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { Periodic } from '../timing/periodic.ts';
import { withDeadline } from '../timing/with-deadline.ts';
import { OutboxTraffic } from './outbox-traffic.ts';

export interface OutboxRelayTimes {
  /** How long entries gather before they are carried together. */
  readonly gatherMs: number;
  /** After this long without a write the announcement is withdrawn. */
  readonly restMs: number;
  /** How often a standing announcement is repeated. */
  readonly repeatMs: number;
  /** A writer that has not repeated its announcements for this long counts as dead. */
  readonly silentForMs: number;
  /** How often dead writers are looked for. */
  readonly adoptEveryMs: number;
}

export interface OutboxRelayDeps {
  readonly backlog: AuditBacklog;
  /** Names this process among the writers. */
  readonly writer: string;
  readonly logger: Logger;
  readonly times?: Partial<OutboxRelayTimes>;
}

/** Carries one organization's outbox until it is empty. */
export type Carry = (organizationId: OrganizationId) => Promise<number>;

const TIMES: OutboxRelayTimes = {
  gatherMs: 1000,
  restMs: 15_000,
  repeatMs: 30_000,
  silentForMs: 120_000,
  adoptEveryMs: 30_000,
};

/** A write does not wait longer for its announcement: the metadata database may be away, and results are served then. */
const ANNOUNCE_DEADLINE_MS = 250;
const ANNOUNCE_AGAIN_MS = 1000;
const MAX_CONCURRENT = 4;
const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 60_000;

/**
 * Brings the entries of the audit trail that writes leave in their organization's database to the metadata database,
 * soon after the write, while the pool is there anyway. Before its first write to an organization the process announces
 * itself in the metadata database; should it die, another one finds the announcement and carries what is left. So no
 * dormant organization is woken to look. Until it is started it does nothing: entries then wait for the next process.
 */
export class OutboxRelay implements WriteWatcher {
  readonly #deps: OutboxRelayDeps;
  readonly #times: OutboxRelayTimes;
  readonly #adoptions: Periodic;
  readonly #traffic = new Map<OrganizationId, OutboxTraffic>();
  #carry: Carry | null = null;
  #timer: NodeJS.Timeout | null = null;
  /** Waiting to be carried, the longest first. */
  readonly #due = new Set<OutboxTraffic>();
  #carrying = 0;

  constructor(deps: OutboxRelayDeps) {
    this.#deps = deps;
    this.#times = { ...TIMES, ...deps.times };
    this.#adoptions = new Periodic({
      everyMs: this.#times.adoptEveryMs,
      runsAtStart: true,
      work: () => this.#adopt(),
      onFailure: (error) =>
        deps.logger.debug({ err: error }, 'audit entries of dead processes could not be looked for'),
    });
  }

  start(carry: Carry): void {
    if (this.#carry !== null) return;
    this.#carry = carry;
    this.#adoptions.start();
  }

  /** Carries what there is, once more, and stops. What cannot be carried stays for another process. Never rejects. */
  async close(): Promise<void> {
    await this.#adoptions.close();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    await this.#carried();
    const traffics = [...this.#traffic.values()];
    for (const traffic of traffics) if (traffic.dirty) this.#due.add(traffic);
    this.#carryDue();
    await this.#carried();
    await Promise.all(traffics.map((traffic) => traffic.lastTurn));
    await Promise.all(traffics.filter(({ isIdle }) => isIdle).map((traffic) => this.#withdraw(traffic)));
    this.#carry = null;
  }

  begin(organizationId: OrganizationId): Promise<void> | null {
    if (this.#carry === null) return null;
    const traffic = this.#trafficOf(organizationId);
    traffic.running += 1;
    if (
      traffic.announcedAt !== null &&
      performance.now() - traffic.announcedAt < this.#times.silentForMs / 2
    ) {
      return null;
    }
    if (!traffic.isAnnouncing && performance.now() < traffic.announceAfter) return null;
    return withDeadline(this.#announce(traffic), ANNOUNCE_DEADLINE_MS).catch(() => undefined);
  }

  end(organizationId: OrganizationId): void {
    const traffic = this.#traffic.get(organizationId);
    // Begun before the start.
    if (traffic === undefined || traffic.running === 0) return;
    traffic.running -= 1;
    traffic.dirty = true;
    traffic.writtenAt = performance.now();
    this.#schedule();
  }

  #trafficOf(organizationId: OrganizationId): OutboxTraffic {
    const known = this.#traffic.get(organizationId);
    if (known !== undefined) return known;
    const made = new OutboxTraffic(organizationId);
    this.#traffic.set(organizationId, made);
    return made;
  }

  #schedule(): void {
    if (this.#carry === null || this.#timer !== null || this.#traffic.size === 0) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#look();
      this.#schedule();
    }, this.#times.gatherMs).unref();
  }

  /** Looks after every organization that was lately written to. */
  #look(): void {
    const now = performance.now();
    for (const traffic of this.#traffic.values()) {
      if (traffic.dirty && traffic.carrying === null && now >= traffic.carryAfter) this.#due.add(traffic);
      if (traffic.isIdle && now - traffic.writtenAt > this.#times.restMs) {
        if (traffic.announcedAt === null) this.#traffic.delete(traffic.organizationId);
        else void this.#withdraw(traffic);
      } else if (traffic.isAtWork && !traffic.isAnnouncing && now >= traffic.announceAfter) {
        const { announcedAt } = traffic;
        if (announcedAt === null || now - announcedAt > this.#times.repeatMs) void this.#announce(traffic);
      }
    }
    this.#carryDue();
  }

  #carryDue(): void {
    const carry = this.#carry;
    if (carry === null) return;
    for (const traffic of this.#due) {
      if (this.#carrying >= MAX_CONCURRENT) return;
      this.#due.delete(traffic);
      this.#carrying += 1;
      // Whatever is written from here on makes it dirty again.
      traffic.dirty = false;
      traffic.carrying = this.#carryNow(carry, traffic);
    }
  }

  /** Resolves when nothing is being carried, or waits for it. */
  async #carried(): Promise<void> {
    for (;;) {
      const [first] = [...this.#traffic.values()].flatMap(({ carrying }) => carrying ?? []);
      if (first === undefined) return;
      await first;
    }
  }

  /** Never rejects. */
  async #carryNow(carry: Carry, traffic: OutboxTraffic): Promise<void> {
    try {
      await carry(traffic.organizationId);
      traffic.failures = 0;
    } catch (error) {
      traffic.dirty = true;
      traffic.failures += 1;
      const pauseMs = Math.min(FIRST_RETRY_MS * 2 ** (traffic.failures - 1), LONGEST_RETRY_MS);
      traffic.carryAfter = performance.now() + pauseMs;
      this.#deps.logger[traffic.failures === 1 ? 'warn' : 'debug'](
        { err: error, org_id: traffic.organizationId },
        'audit entries could not be carried; they are kept',
      );
    }
    this.#carrying -= 1;
    traffic.carrying = null;
    this.#carryDue();
  }

  /** Never rejects. Shared by those who come while it is under way. */
  #announce(traffic: OutboxTraffic): Promise<void> {
    if (traffic.isAnnouncing) return traffic.lastTurn;
    traffic.isAnnouncing = true;
    return traffic.takeTurn(async () => {
      try {
        await this.#deps.backlog.announce(traffic.organizationId, this.#deps.writer);
        traffic.announcedAt = performance.now();
      } catch (error) {
        traffic.announceAfter = performance.now() + ANNOUNCE_AGAIN_MS;
        this.#deps.logger.debug({ err: error }, 'writes could not be announced; they go on');
      }
      traffic.isAnnouncing = false;
    });
  }

  /** Never rejects. A write that begins meanwhile announces itself anew, afterwards. */
  #withdraw(traffic: OutboxTraffic): Promise<void> {
    traffic.announcedAt = null;
    return traffic.takeTurn(async () => {
      try {
        await this.#deps.backlog.withdraw(traffic.organizationId, this.#deps.writer);
      } catch (error) {
        // Somebody will adopt it, and find nothing.
        this.#deps.logger.debug({ err: error }, 'an announcement could not be withdrawn');
      }
    });
  }

  async #adopt(): Promise<void> {
    const left = await this.#deps.backlog.adopt(this.#deps.writer, this.#times.silentForMs);
    for (const organizationId of left) {
      const traffic = this.#trafficOf(organizationId);
      traffic.dirty = true;
      traffic.announcedAt = performance.now();
    }
    this.#schedule();
  }
}
