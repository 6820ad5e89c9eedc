import type { DatabaseHealth, HealthCheck } from '../../../application/ports/databases/health-check.ts';

/** Answers with what a test says is healthy. */
export class FakeHealth implements HealthCheck {
  found: DatabaseHealth = { metadata: true, servers: { default: true }, organizations: {} };

  async check(): Promise<DatabaseHealth> {
    return this.found;
  }
}
