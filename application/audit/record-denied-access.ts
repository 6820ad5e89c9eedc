import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { causedBy, type Actor } from '../actor.ts';
import type { Logger } from '../ports/runtime/logger.ts';
import type { MetadataDatabase } from '../ports/databases/metadata-database.ts';

/** Longest claim of another organization's name that is worth keeping. */
const MAX_ASKED_LENGTH = 63;
/** Refusals of one caller that get an entry each within a minute; the rest are counted into a single one. */
const MAX_ENTRIES = 30;
const WINDOW_MS = 60_000;
/** Callers counted at once. They all hold valid tokens, so there are not that many. */
const MAX_CALLERS = 10_000;

interface Attempt {
  /** The organization asked for. */
  readonly asked: string;
  readonly source: 'path' | 'header';
  readonly route: string;
}

/** The refusals of one caller since `since`. */
interface Window {
  readonly userId: string;
  readonly organizationId: OrganizationId | null;
  /** Milliseconds since 1970. */
  readonly since: number;
  refusals: number;
  last: Attempt;
}

/**
 * Writes refused attempts on other organizations into the audit trail: of the caller's own organization, or of the
 * platform when the caller has none. A caller who keeps trying is counted, so that nobody fills the trail at will.
 */
export class RecordDeniedAccess {
  readonly #metadata: MetadataDatabase;
  readonly #logger: Logger;
  readonly #now: () => number;
  readonly #windows = new Map<string, Window>();

  /** @param now milliseconds since 1970 */
  constructor(metadata: MetadataDatabase, logger: Logger, now: () => number = Date.now) {
    this.#metadata = metadata;
    this.#logger = logger;
    this.#now = now;
  }

  /** The refusal stands when the trail cannot be written: that is logged instead. */
  async execute(actor: Actor, attempt: Attempt): Promise<void> {
    const { organizationId, userId } = actor.principal;
    await this.#end(this.#ended());
    const window = this.#count(userId, organizationId, attempt);
    if (window.refusals > MAX_ENTRIES) return;
    await this.#append({
      ...causedBy(actor),
      organizationId,
      action: 'organization.access_denied',
      entityId: attempt.asked.slice(0, MAX_ASKED_LENGTH),
      details: { source: attempt.source, route: attempt.route },
    });
  }

  /** Writes down what was counted in minutes that are over; with `all` also in those that are not. */
  async flush({ all }: { readonly all: boolean }): Promise<void> {
    await this.#end(all ? [...this.#windows.entries()] : this.#ended());
  }

  #count(userId: string, organizationId: OrganizationId | null, last: Attempt): Window {
    const key = `${organizationId ?? ''}\n${userId}`;
    const window = this.#windows.get(key);
    if (window !== undefined) {
      window.refusals += 1;
      window.last = last;
      return window;
    }
    const fresh = { userId, organizationId, since: this.#now(), refusals: 1, last };
    this.#windows.set(key, fresh);
    return fresh;
  }

  /** The oldest come first in the map; those that are too many count as ended. */
  #ended(): readonly (readonly [string, Window])[] {
    const ended: (readonly [string, Window])[] = [];
    for (const entry of this.#windows) {
      const surplus = this.#windows.size - ended.length > MAX_CALLERS;
      if (!surplus && this.#now() - entry[1].since < WINDOW_MS) break;
      ended.push(entry);
    }
    return ended;
  }

  async #end(ended: readonly (readonly [string, Window])[]): Promise<void> {
    // Taken out before anything is awaited: nobody counts into a window that is being written.
    for (const [key] of ended) this.#windows.delete(key);
    for (const [, { userId, organizationId, since, refusals, last }] of ended) {
      if (refusals <= MAX_ENTRIES) continue;
      await this.#append({
        organizationId,
        userId,
        action: 'organization.access_denied_repeatedly',
        entityId: last.asked.slice(0, MAX_ASKED_LENGTH),
        details: {
          refusals_not_listed: refusals - MAX_ENTRIES,
          since: new Date(since).toISOString(),
          until: new Date(this.#now()).toISOString(),
          last_route: last.route,
        },
        requestId: null,
        address: null,
      });
    }
  }

  async #append(
    event: Omit<Parameters<MetadataDatabase['auditLog']['append']>[0], 'entityType'>,
  ): Promise<void> {
    try {
      await this.#metadata.auditLog.append({ ...event, entityType: 'organization' });
    } catch (error) {
      this.#logger.error({ err: error, action: event.action }, 'a refused access could not be audited');
    }
  }
}
