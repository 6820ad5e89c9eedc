import type { FleetItem, FleetProgress, FleetRun } from '../../../application/ports/fleet/fleet-ledger.ts';
import type { FleetSteering } from '../../../application/fleet/steer-over-http.ts';
import { MigrationRunNotFoundError } from '../../../domain/fleet/errors.ts';
import { toPage } from '../../../domain/page.ts';
import type { FleetReader } from '../../../presentation/http/http-dependencies.ts';

/** The book of fleet migrations in memory, as far as the HTTP side reads it. */
export class FakeFleet implements FleetReader {
  readonly runs: FleetRun[] = [];
  readonly items = new Map<number, readonly FleetItem[]>();

  /** Answers with the run as it is. */
  readonly steering: FleetSteering = {
    start: async () => ({
      plan: {
        target: 2,
        items: [],
        skipped: [],
        skippedCounts: { current: 0, ahead: 0, not_ready: 0, no_database: 0 },
        waves: [],
      },
      progress: null,
    }),
    pause: (_actor, runId) => this.#shown(runId),
    resume: (_actor, runId) => this.#shown(runId),
    retry: (_actor, runId) => this.#shown(runId),
    rollBack: (_actor, runId) => this.#shown(runId),
  };

  async #shown(runId: number): Promise<FleetProgress> {
    const progress = await this.progress(runId);
    if (progress === null) throw new MigrationRunNotFoundError();
    return progress;
  }

  async findRun(runId: number): Promise<FleetRun | null> {
    return this.runs.find((run) => run.runId === runId) ?? null;
  }

  listRuns: FleetReader['listRuns'] = async ({ limit, after }) => {
    const following = this.runs
      .filter(({ runId }) => after === null || runId < after)
      .toSorted((one, other) => other.runId - one.runId);
    return toPage(following, limit, ({ runId }) => runId);
  };

  listItems: FleetReader['listItems'] = async (runId, { state }, { limit, after }) => {
    const following = (this.items.get(runId) ?? []).filter(
      (item) => (state === null || item.state === state) && (after === null || item.organizationId > after),
    );
    return toPage(following, limit, ({ organizationId }) => organizationId);
  };

  async progress(runId: number): Promise<FleetProgress | null> {
    const run = await this.findRun(runId);
    if (run === null) return null;
    const items = this.items.get(runId) ?? [];
    const counts = { pending: 0, running: 0, deferred: 0, done: 0, failed: 0 };
    for (const { state } of items) counts[state] += 1;
    return { run, counts, organizations: items.length, waves: 1 };
  }
}
