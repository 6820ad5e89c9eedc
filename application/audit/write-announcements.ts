import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { orAfter } from '../or-after.ts';
import type { AuditBacklog } from '../ports/audit/audit-backlog.ts';
import type { WriteWatcher } from '../ports/audit/write-watcher.ts';
import type { Logger } from '../ports/runtime/logger.ts';
import { OutboxTraffic, type RelayTimes } from './outbox-traffic.ts';

export interface WriteAnnouncementsDeps {
  readonly backlog: Pick<AuditBacklog, 'announce' | 'withdraw'>;
  /** Names this process among the writers. */
  readonly writer: string;
  readonly times: RelayTimes;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
  readonly logger: Logger;
}

/** A write does not wait longer for its announcement: the metadata database may be away, and results are served then. */
const ANNOUNCE_DEADLINE_MS = 250;

/** One organization's traffic, and what is being said of it to the other processes. */
interface Announced {
  readonly traffic: OutboxTraffic;
  /** Announcements and withdrawals follow one another: the one begun last. */
  lastMessage: Promise<void>;
  /** Under way, or waiting for those before. */
  messages: number;
  isAnnouncing: boolean;
}

/**
 * Says in the metadata database, before this process writes to an organization for the first time, that it may leave
 * audit entries there. Should the process die, another one finds the announcement and relays what is left: so no
 * dormant organization is woken to look. In memory, since each process announces its own writes. Decision 0015.
 */
export class WriteAnnouncements implements WriteWatcher {
  readonly #deps: WriteAnnouncementsDeps;
  readonly #organizations = new Map<OrganizationId, Announced>();
  #isOpen = false;

  constructor(deps: WriteAnnouncementsDeps) {
    this.#deps = deps;
  }

  /** From here on writes are announced. Before, their entries wait for the next process that writes there. */
  open(): void {
    this.#isOpen = true;
  }

  /** Resolves when nothing is being said any longer, and what has ended is withdrawn. Never rejects. */
  async close(): Promise<void> {
    const organizations = [...this.#organizations.values()];
    await Promise.all(organizations.map(({ lastMessage }) => lastMessage));
    await Promise.all(
      organizations.filter(isIdle).map(({ traffic }) => this.withdraw(traffic.organizationId)),
    );
    this.#isOpen = false;
  }

  begin(organizationId: OrganizationId): Promise<void> | null {
    if (!this.#isOpen) return null;
    const { times, now } = this.#deps;
    const { traffic, isAnnouncing } = this.#of(organizationId);
    traffic.writeBegan();
    if (traffic.isSafelyAnnounced(now(), times)) return null;
    if (!isAnnouncing && !traffic.mayAnnounce(now())) return null;
    return orAfter(ANNOUNCE_DEADLINE_MS, this.announce(organizationId), undefined);
  }

  end(organizationId: OrganizationId): void {
    this.#organizations.get(organizationId)?.traffic.writeEnded(this.#deps.now());
  }

  /** Takes over what a dead process has announced. */
  inherit(organizationId: OrganizationId): void {
    this.#of(organizationId).traffic.inherited(this.#deps.now());
  }

  traffics(): readonly OutboxTraffic[] {
    return [...this.#organizations.values()].map(({ traffic }) => traffic);
  }

  /** Announces what has work, withdraws what has rested, and forgets what is withdrawn. Does not wait for it. */
  settle(): void {
    const { times } = this.#deps;
    const now = this.#deps.now();
    for (const organization of this.#organizations.values()) {
      const { traffic, isAnnouncing } = organization;
      const { organizationId } = traffic;
      if (isIdle(organization) && traffic.isAtRest(now, times)) {
        if (traffic.isAnnounced) void this.withdraw(organizationId);
        else this.#organizations.delete(organizationId);
      } else if (!isAnnouncing && traffic.isAnnouncementDue(now, times)) {
        void this.announce(organizationId);
      }
    }
  }

  /** Never rejects. Shared by those who call while it is under way. */
  announce(organizationId: OrganizationId): Promise<void> {
    const { backlog, writer, logger, now } = this.#deps;
    const organization = this.#of(organizationId);
    if (organization.isAnnouncing) return organization.lastMessage;
    organization.isAnnouncing = true;
    return say(organization, async () => {
      try {
        await backlog.announce(organizationId, writer);
        organization.traffic.announced(now());
      } catch (error) {
        organization.traffic.announceFailed(now());
        logger.write('announcement.failed', { err: error });
      }
      organization.isAnnouncing = false;
    });
  }

  /** Never rejects. A write that begins meanwhile announces itself anew, afterwards. */
  withdraw(organizationId: OrganizationId): Promise<void> {
    const { backlog, writer, logger } = this.#deps;
    const organization = this.#of(organizationId);
    organization.traffic.withdrawalBegan();
    return say(organization, async () => {
      try {
        await backlog.withdraw(organizationId, writer);
      } catch (error) {
        // Another process will inherit it, and find nothing.
        logger.write('announcement.withdrawal_failed', { err: error });
      }
    });
  }

  #of(organizationId: OrganizationId): Announced {
    const known = this.#organizations.get(organizationId);
    if (known !== undefined) return known;
    const traffic = new OutboxTraffic(organizationId, this.#deps.now());
    const made = { traffic, lastMessage: Promise.resolve(), messages: 0, isAnnouncing: false };
    this.#organizations.set(organizationId, made);
    return made;
  }
}

/** Nothing is left, and nothing is being said about it. */
const isIdle = ({ traffic, messages }: Announced): boolean => !traffic.isAtWork && messages === 0;

/** Sends a message after the earlier ones. `send` never rejects. */
const say = (organization: Announced, send: () => Promise<void>): Promise<void> => {
  organization.messages += 1;
  organization.lastMessage = organization.lastMessage.then(send).finally(() => {
    organization.messages -= 1;
  });
  return organization.lastMessage;
};
