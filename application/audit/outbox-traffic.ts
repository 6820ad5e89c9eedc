import type { OrganizationId } from '../../domain/organizations/organization-id.ts';

/** Milliseconds of what is relayed when. */
export interface RelayTimes {
  /** How long entries gather before they are relayed together: how often the relay looks. */
  readonly gatherMs: number;
  /** After this long without a write the announcement is withdrawn. */
  readonly restMs: number;
  /** How often a standing announcement is repeated. */
  readonly repeatMs: number;
  /** A writer that has not repeated its announcements for this long counts as dead. */
  readonly silentForMs: number;
  /** How often dead writers are looked for. */
  readonly reclaimEveryMs: number;
}

export const RELAY_TIMES: RelayTimes = {
  gatherMs: 1000,
  restMs: 15_000,
  repeatMs: 30_000,
  silentForMs: 120_000,
  reclaimEveryMs: 30_000,
};

const ANNOUNCE_AGAIN_MS = 1000;
const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 60_000;

/**
 * What this process knows of one organization whose results it writes, or inherited from a dead process. It says what is
 * due and does nothing. All times are monotonic, in milliseconds.
 *
 * Two things run side by side:
 * - the outbox: clean → dirty (a write ended) → relaying → clean; dirty again after a failure, a write meanwhile, or a turn
 *   that ended before all was relayed;
 * - the announcement: none → announced (before the first write) → repeated while there is work → withdrawn after a rest.
 */
export class OutboxTraffic {
  readonly organizationId: OrganizationId;
  /** Writes under way. */
  #writes = 0;
  /** Whether the outbox may hold entries. */
  #dirty = false;
  /** When the oldest entries that are not relayed may have been written, and those of writes since a relay began. */
  #unrelayedSince: number | null = null;
  #dirtySince = 0;
  #isRelaying = false;
  #failures = 0;
  /** Not to be relayed before; after a failure. */
  #relayAfter = 0;
  #writtenAt: number;
  /** When the announcement was last confirmed; null while there is none. */
  #announcedAt: number | null = null;
  /** Not to be announced before; after a failure. */
  #announceAfter = 0;

  constructor(organizationId: OrganizationId, now: number) {
    this.organizationId = organizationId;
    this.#writtenAt = now;
  }

  /** Whether there are, or will be, entries in the outbox. */
  get isAtWork(): boolean {
    return this.#writes > 0 || this.#dirty || this.#isRelaying;
  }

  get isDirty(): boolean {
    return this.#dirty;
  }

  /** Since when entries may wait; null: none do. */
  get unrelayedSince(): number | null {
    return this.#unrelayedSince;
  }

  /** Whether the last relay failed. */
  get hasFailed(): boolean {
    return this.#failures > 0;
  }

  get isAnnounced(): boolean {
    return this.#announcedAt !== null;
  }

  writeBegan(): void {
    this.#writes += 1;
  }

  /** Also of a write that failed: the server may have committed it. Nothing for a write that began unseen. */
  writeEnded(now: number): void {
    if (this.#writes === 0) return;
    this.#writes -= 1;
    this.#soil(now);
    this.#writtenAt = now;
  }

  /** Entries of a dead process, whose announcement is this process's from now on. */
  inherited(now: number): void {
    this.#soil(now);
    this.#announcedAt = now;
  }

  isRelayDue(now: number): boolean {
    return this.#dirty && !this.#isRelaying && now >= this.#relayAfter;
  }

  /** A write that ends from here on makes the outbox dirty again. */
  relayBegan(): void {
    this.#dirty = false;
    this.#isRelaying = true;
  }

  relaySucceeded(): void {
    this.#isRelaying = false;
    this.#unrelayedSince = this.#dirty ? this.#dirtySince : null;
    this.#failures = 0;
  }

  /** The outbox holds more than fitted the turn: entries that waited longest may be among them. */
  relayPaused(): void {
    this.#isRelaying = false;
    this.#dirty = true;
    this.#failures = 0;
  }

  /** @returns how often it has failed in a row */
  relayFailed(now: number): number {
    this.#isRelaying = false;
    this.#dirty = true;
    this.#failures += 1;
    this.#relayAfter = now + Math.min(FIRST_RETRY_MS * 2 ** (this.#failures - 1), LONGEST_RETRY_MS);
    return this.#failures;
  }

  /** For a write that is to begin: whether the announcement stands long enough for it. */
  isSafelyAnnounced(now: number, { silentForMs }: RelayTimes): boolean {
    return this.#announcedAt !== null && now - this.#announcedAt < silentForMs / 2;
  }

  /** False for a moment after a failure. */
  mayAnnounce(now: number): boolean {
    return now >= this.#announceAfter;
  }

  isAnnouncementDue(now: number, { repeatMs }: RelayTimes): boolean {
    if (!this.isAtWork || !this.mayAnnounce(now)) return false;
    return this.#announcedAt === null || now - this.#announcedAt > repeatMs;
  }

  isAtRest(now: number, { restMs }: RelayTimes): boolean {
    return !this.isAtWork && now - this.#writtenAt > restMs;
  }

  announced(now: number): void {
    this.#announcedAt = now;
  }

  announceFailed(now: number): void {
    this.#announceAfter = now + ANNOUNCE_AGAIN_MS;
  }

  withdrawalBegan(): void {
    this.#announcedAt = null;
  }

  #soil(now: number): void {
    if (!this.#dirty) this.#dirtySince = now;
    this.#dirty = true;
    this.#unrelayedSince ??= now;
  }
}
