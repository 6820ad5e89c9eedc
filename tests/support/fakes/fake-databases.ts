import type { DatabaseHealth, HealthCheck } from '../../../application/ports/databases/health-check.ts';
import type {
  OrganizationDatabases,
  PoolSnapshot,
  ResultsLease,
} from '../../../application/ports/databases/organization-databases.ts';
import { DEFAULT_SERVER } from '../../../domain/databases/server.ts';
import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';
import { FakeResults } from './fake-results.ts';

/** Results databases in memory. Counts leases, and can be told to wait or to fail. */
export class FakeDatabases implements OrganizationDatabases, HealthCheck {
  readonly results = new Map<string, FakeResults>();
  /** Organizations in the order in which leases were asked for. */
  readonly acquired: string[] = [];
  readonly provisioned: string[] = [];
  /** Every call of `release`, also a second one for the same lease. */
  releases = 0;
  health: DatabaseHealth = {
    metadata: true,
    servers: { default: true },
    serverProblems: {},
    organizations: {},
  };
  pools = new Map<string, PoolSnapshot>();
  /** Of every lease. */
  readonly cost = { queries: 2, dbMs: 1.25, waitedMs: 0.5 };
  /** Awaited before a lease is given. */
  gate: Promise<void> = Promise.resolve();
  /** What `acquire` does instead, when set. */
  refusal: (() => Promise<ResultsLease>) | null = null;

  of(organizationId: string): FakeResults {
    const known = this.results.get(organizationId);
    if (known !== undefined) return known;
    const made = new FakeResults();
    this.results.set(organizationId, made);
    return made;
  }

  async acquire(organizationId: OrganizationId): Promise<ResultsLease> {
    this.acquired.push(organizationId);
    await this.gate;
    if (this.refusal !== null) return this.refusal();
    return {
      database: this.of(organizationId),
      serverId: DEFAULT_SERVER,
      cost: this.cost,
      release: () => {
        this.releases += 1;
      },
    };
  }

  acquireExisting(organizationId: OrganizationId): Promise<ResultsLease> {
    return this.acquire(organizationId);
  }

  async provision(organizationId: OrganizationId): Promise<void> {
    this.provisioned.push(organizationId);
  }

  peek(organizationId: OrganizationId): PoolSnapshot | null {
    return this.pools.get(organizationId) ?? null;
  }

  async check(): Promise<DatabaseHealth> {
    return this.health;
  }
}
