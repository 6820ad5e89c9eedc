import type { HintReach, WorkHints } from '../../../application/ports/work/work-hints.ts';
import type { CarriedEntry } from '../../../domain/audit/carried-entry.ts';
import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';
import { workNewsOf, type WorkHint, type WorkLook } from '../../../domain/work/work-hint.ts';
import type { FakeMetadata } from './fake-metadata.ts';

interface StoredHint extends WorkHint {
  readonly dueAtMs: number;
  readonly served: number;
}

/** Hints at work in memory, over fake organizations and service accounts. */
export class FakeWorkHints implements WorkHints {
  readonly #metadata: Pick<FakeMetadata, 'stored' | 'settings' | 'serviceAccounts'>;
  readonly #hints = new Map<string, StoredHint>();
  readonly #arrived = new Set<string>();
  #version = 0;

  constructor(metadata: Pick<FakeMetadata, 'stored' | 'settings' | 'serviceAccounts'>) {
    this.#metadata = metadata;
  }

  /** As the relay of audit entries does it. */
  deliver(organizationId: OrganizationId, entries: readonly CarriedEntry[]): void {
    for (const entry of entries) {
      if (this.#arrived.has(entry.auditId)) continue;
      this.#arrived.add(entry.auditId);
      for (const news of workNewsOf(entry)) this.#set(organizationId, news);
    }
  }

  /** As if the time had come for all. */
  makeDue(): void {
    for (const [key, hint] of this.#hints) this.#hints.set(key, { ...hint, dueAtMs: 0 });
  }

  async take(
    reach: HintReach,
    { engines, limit }: { readonly engines: readonly string[] | null; readonly limit: number },
  ): Promise<readonly WorkHint[]> {
    const reachable =
      'fleetId' in reach
        ? this.#metadata.serviceAccounts.organizationsOf(reach.fleetId)
        : [reach.organizationId];
    const due = [...this.#hints.values()]
      .filter(({ organizationId }) => reachable.includes(organizationId))
      .filter(({ organizationId }) => this.#metadata.stored.get(organizationId)?.status === 'active')
      .filter(({ engine, dueAtMs }) => (engines?.includes(engine) ?? true) && dueAtMs <= Date.now())
      .toSorted((a, b) => a.served - b.served || Number(a.oldestAt) - Number(b.oldestAt))
      .slice(0, limit);
    for (const hint of due) this.#hints.set(keyOf(hint), { ...hint, dueAtMs: Date.now() + 2000 });
    return due.map(({ organizationId, engine, waiting, oldestAt, version }) => ({
      organizationId,
      engine,
      waiting,
      oldestAt,
      version,
    }));
  }

  async settle(
    organizationId: OrganizationId,
    { engines, version, isWaiting, dueInSeconds }: WorkLook,
  ): Promise<void> {
    for (const engine of engines) {
      const hint = this.#hints.get(keyOf({ organizationId, engine }));
      if (hint === undefined || hint.version > version) continue;
      const inSeconds = isWaiting ? 5 : dueInSeconds;
      if (inSeconds === null) {
        this.#hints.delete(keyOf(hint));
        continue;
      }
      const dueAtMs = Date.now() + Math.max(inSeconds, 1) * 1000;
      this.#hints.set(keyOf(hint), { ...hint, dueAtMs, ...(!isWaiting && { waiting: 0, oldestAt: null }) });
    }
  }

  #set(organizationId: OrganizationId, news: ReturnType<typeof workNewsOf>[number]): void {
    const { engine, since, dueAt } = news;
    const known = this.#hints.get(keyOf({ organizationId, engine }));
    const others = [...this.#hints.values()].filter((hint) => hint.engine === engine && hint.waiting > 0);
    const least = others.length === 0 ? 0 : Math.min(...others.map(({ served }) => served));
    const start =
      known === undefined || known.waiting === 0 ? Math.max(least, known?.served ?? 0) : known.served;
    const weight = this.#metadata.settings.get(organizationId)?.settings['work_weight'];
    this.#version += 1;
    this.#hints.set(keyOf({ organizationId, engine }), {
      organizationId,
      engine,
      version: this.#version,
      waiting: Math.max(0, (known?.waiting ?? 0) + news.waiting),
      oldestAt: earlier(known?.oldestAt ?? null, since),
      dueAtMs: Math.min(known?.dueAtMs ?? Infinity, dueAt.getTime()),
      served: start + news.served / (typeof weight === 'number' ? weight / 100 : 1),
    });
  }
}

const keyOf = ({ organizationId, engine }: Pick<WorkHint, 'organizationId' | 'engine'>): string =>
  `${organizationId} ${engine}`;

const earlier = (a: Date | null, b: Date | null): Date | null =>
  a === null || (b !== null && b < a) ? b : a;
