import type { AuditBacklog } from '../../../application/ports/audit/audit-backlog.ts';
import type { CarriedEntry } from '../../../domain/audit/carried-entry.ts';
import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';

/** The announcements of one writer in memory; can be told to wait or to fail. */
export class FakeAuditBacklog implements AuditBacklog {
  readonly announced = new Set<string>();
  /** Announcements and withdrawals in their order. */
  readonly calls: string[] = [];
  readonly delivered: CarriedEntry[] = [];
  /** What dead writers have left. */
  left: OrganizationId[] = [];
  /** How often dead writers were looked for. */
  searches = 0;
  isAway = false;
  /** Awaited before anything is said. */
  gate: Promise<void> = Promise.resolve();

  async deliver(_organizationId: OrganizationId, entries: readonly CarriedEntry[]): Promise<void> {
    this.#refuseIfAway();
    this.delivered.push(...entries);
  }

  announce(organizationId: OrganizationId): Promise<void> {
    return this.#say(`announce ${organizationId}`, () => this.announced.add(organizationId));
  }

  withdraw(organizationId: OrganizationId): Promise<void> {
    return this.#say(`withdraw ${organizationId}`, () => this.announced.delete(organizationId));
  }

  async reclaimFromDead(): Promise<readonly OrganizationId[]> {
    this.searches += 1;
    this.#refuseIfAway();
    const left = this.left;
    this.left = [];
    for (const id of left) this.announced.add(id);
    return left;
  }

  async #say(what: string, act: () => unknown): Promise<void> {
    this.calls.push(what);
    await this.gate;
    this.#refuseIfAway();
    act();
  }

  #refuseIfAway(): void {
    if (this.isAway) throw new Error('the metadata database is away');
  }
}
