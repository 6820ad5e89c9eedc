import type {
  OperatorsLedger,
  OrganizationGroup,
  ReconcilerPass,
  Standing,
} from '../../../application/ports/operators/operators-ledger.ts';
import type {
  ProcessBeat,
  ProcessFacts,
  ProcessLedger,
} from '../../../application/ports/operators/process-ledger.ts';
import type { FakeMetadata } from './fake-metadata.ts';

const SAMPLE = 5;

/** A process with nothing to do. */
export const idleProcess = (fields: Partial<ProcessFacts> = {}): ProcessFacts => ({
  version: '1.2.3',
  loopUtilization: 0.125,
  rssBytes: 123_456_789,
  requestsPerSecond: 0,
  pools: { open: 0, draining: 0, leases: 0 },
  metadata: { circuit: 'closed', inUse: 0, idle: 1, waiting: 0 },
  servers: [],
  busiest: [],
  failing: [],
  ...fields,
});

/** What processes say of themselves, in memory. */
export class FakeProcesses implements ProcessLedger {
  readonly beats = new Map<string, ProcessBeat>();

  async beat(instanceId: string, startedAt: Date, facts: ProcessFacts): Promise<void> {
    this.beats.set(instanceId, { ...facts, instanceId, startedAt, beatAt: new Date(), ageSeconds: 0 });
  }

  async leave(instanceId: string): Promise<void> {
    this.beats.delete(instanceId);
  }

  async list(): Promise<readonly ProcessBeat[]> {
    return [...this.beats.values()].toSorted((one, other) => Number(one.startedAt) - Number(other.startedAt));
  }
}

/** What operators see of the whole deployment, in memory. */
export class FakeOperators implements OperatorsLedger {
  readonly #metadata: Pick<FakeMetadata, 'stored' | 'records'>;
  readonly #processes: FakeProcesses;
  run: Standing['run'] = null;
  pass: ReconcilerPass | null = null;

  constructor(metadata: Pick<FakeMetadata, 'stored' | 'records'>, processes: FakeProcesses) {
    this.#metadata = metadata;
    this.#processes = processes;
  }

  async groupOrganizations(): Promise<readonly OrganizationGroup[]> {
    const groups = new Map<string, OrganizationGroup>();
    const organizations = [...this.#metadata.stored.values()].toSorted((one, other) =>
      one.id < other.id ? -1 : 1,
    );
    for (const { id, status } of organizations) {
      const record = this.#metadata.records.get(id);
      const like = {
        status,
        serverId: record?.serverId ?? null,
        state: record?.state ?? null,
        schemaVersion: record?.schemaVersion ?? null,
      };
      const key = JSON.stringify(like);
      const { count, sample } = groups.get(key) ?? { count: 0, sample: [] };
      groups.set(key, { ...like, count: count + 1, sample: [...sample, id].slice(0, SAMPLE) });
    }
    return [...groups.values()];
  }

  async standing(): Promise<Standing> {
    const { run, pass } = this;
    return {
      processes: await this.#processes.list(),
      run,
      pass: pass && {
        origin: pass.origin,
        dryRun: pass.dryRun,
        endedAt: pass.endedAt,
        summary: pass.summary,
      },
    };
  }

  async recordPass(pass: ReconcilerPass): Promise<void> {
    this.pass = pass;
  }

  async lastPass(): Promise<ReconcilerPass | null> {
    return this.pass;
  }
}
