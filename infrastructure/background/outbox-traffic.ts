import type { OrganizationId } from '../../domain/organizations/organization-id.ts';

/** What a carrier knows of one organization whose results are being written. Times are in `performance.now()`. */
export class OutboxTraffic {
  readonly organizationId: OrganizationId;
  /** Writes under way. */
  running = 0;
  /** Whether the outbox may hold entries. */
  dirty = false;
  /** When it was last written. */
  writtenAt = performance.now();
  /** When the announcement was last confirmed; null while there is none. */
  announcedAt: number | null = null;
  /** Not to be announced before; after a failure. */
  announceAfter = 0;
  /** Announcements and withdrawals follow one another; how many are under way or wait for that. */
  turns = 0;
  isAnnouncing = false;
  carrying: Promise<void> | null = null;
  /** Not to be carried before; after a failure. */
  carryAfter = 0;
  failures = 0;
  #lastTurn: Promise<void> = Promise.resolve();

  constructor(organizationId: OrganizationId) {
    this.organizationId = organizationId;
  }

  /** There are, or will be, entries in the outbox. */
  get isAtWork(): boolean {
    return this.running > 0 || this.dirty || this.carrying !== null;
  }

  /** Nothing is left, and nothing is being said about it. */
  get isIdle(): boolean {
    return !this.isAtWork && this.turns === 0;
  }

  /** The announcement or withdrawal that was begun last. */
  get lastTurn(): Promise<void> {
    return this.#lastTurn;
  }

  /** Runs `act` after the earlier turns. `act` never rejects. */
  takeTurn(act: () => Promise<void>): Promise<void> {
    this.turns += 1;
    this.#lastTurn = this.#lastTurn.then(act).finally(() => {
      this.turns -= 1;
    });
    return this.#lastTurn;
  }
}
