import type {
  DatabaseHealth,
  OrganizationDatabases,
  PoolSnapshot,
  ResultsLease,
} from '../../application/ports/organization-databases.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import type { SchemaGuard } from './schema-guard.ts';

/** The way to the results databases, closed to those whose schema left the release's window while their pool was open. */
export class GuardedDatabases implements OrganizationDatabases {
  readonly #databases: OrganizationDatabases;
  readonly #guard: SchemaGuard;

  constructor(databases: OrganizationDatabases, guard: SchemaGuard) {
    this.#databases = databases;
    this.#guard = guard;
  }

  async acquire(organizationId: OrganizationId): Promise<ResultsLease> {
    this.#guard.check(organizationId);
    return this.#databases.acquire(organizationId);
  }

  provision(organizationId: OrganizationId): Promise<void> {
    return this.#databases.provision(organizationId);
  }

  peek(organizationId: OrganizationId): PoolSnapshot | null {
    return this.#databases.peek(organizationId);
  }

  healthCheck(): Promise<DatabaseHealth> {
    return this.#databases.healthCheck();
  }
}
