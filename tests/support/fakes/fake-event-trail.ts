import type { AuditEntry, AuditEvent } from '../../../domain/audit/audit-log.ts';
import type { EventTrail } from '../../../domain/events/event-trail.ts';
import { isEventType, readJobEvent, type JobEvent } from '../../../domain/events/job-event.ts';
import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';

type StoredEntry = Omit<AuditEntry, 'details'> & Pick<AuditEvent, 'details'>;

/** The events of a trail in memory. Counts what is asked, and can be told to wait or to fail. */
export class FakeEventTrail implements EventTrail {
  readonly #trail: () => readonly StoredEntry[];
  /** Names of the methods, in the order of the calls. */
  readonly calls: (keyof EventTrail)[] = [];
  isAway = false;
  /** Awaited before each answer; the answer is of the moment of the call. */
  gate: Promise<void> = Promise.resolve();

  constructor(trail: () => readonly StoredEntry[]) {
    this.#trail = trail;
  }

  list: EventTrail['list'] = (organizationId, { after, types, limit }) =>
    this.#answer('list', () =>
      this.#of(organizationId, after)
        .flatMap((entry) => eventOf(entry) ?? [])
        .filter(({ type }) => types.includes(type))
        .slice(0, limit),
    );

  latestPosition: EventTrail['latestPosition'] = (organizationId) =>
    this.#answer('latestPosition', () => Number(this.#of(organizationId, 0).at(-1)?.position ?? 0));

  listNews: EventTrail['listNews'] = (heads, limit) =>
    this.#answer('listNews', () =>
      Array.from(heads, ([organizationId, head]) => {
        const entries = this.#of(organizationId, head).slice(0, limit);
        return {
          organizationId,
          events: entries.flatMap((entry) => eventOf(entry) ?? []),
          head: Number(entries.at(-1)?.position ?? head),
          isCut: entries.length === limit,
        };
      }).filter(({ organizationId, head }) => head > (heads.get(organizationId) ?? 0)),
    );

  async #answer<Answer>(method: keyof EventTrail, read: () => Answer): Promise<Answer> {
    this.calls.push(method);
    if (this.isAway) throw new Error('the metadata database is away');
    const answer = read();
    await this.gate;
    return answer;
  }

  #of(organizationId: OrganizationId, after: number): readonly StoredEntry[] {
    return this.#trail().filter(
      (entry) => entry.organizationId === organizationId && Number(entry.position) > after,
    );
  }
}

const eventOf = (entry: StoredEntry): JobEvent | null =>
  isEventType(entry.action)
    ? readJobEvent({ ...entry, action: entry.action, position: Number(entry.position) })
    : null;
