import { performance, type EventLoopUtilization } from 'node:perf_hooks';
import {
  BEAT_EVERY_MS,
  type ProcessFacts,
  type ProcessLedger,
  type Traffic,
} from '../../application/ports/operators/process-ledger.ts';
import type { Logger } from '../../application/ports/runtime/logger.ts';
import type { CircuitBreaker } from '../pools/circuit-breaker.ts';
import type { DatabaseConnectionManager } from '../routing/database-connection-manager.ts';
import type { ResultsServer } from '../servers/results-server.ts';
import { Periodic, type RunReport } from '../timing/periodic.ts';
import type { Background } from './background-runner.ts';

export interface ProcessBeatsDeps {
  readonly instanceId: string;
  readonly version: string;
  readonly ledger: ProcessLedger;
  readonly traffic: Traffic;
  readonly manager: Pick<DatabaseConnectionManager, 'counts' | 'metadata' | 'peek'>;
  readonly servers: readonly Pick<ResultsServer, 'serverId' | 'breaker' | 'connections'>[];
  readonly metadataBreaker: Pick<CircuitBreaker, 'state'>;
  readonly logger: Logger;
}

/** Tells the other processes, and through any of them the operators, how this process is. Reads memory alone. Decision 0051. */
export class ProcessBeats implements Background {
  readonly #deps: ProcessBeatsDeps;
  readonly #startedAt = new Date();
  readonly #beats: Periodic;
  #loop: EventLoopUtilization = performance.eventLoopUtilization();

  constructor(deps: ProcessBeatsDeps) {
    this.#deps = deps;
    this.#beats = new Periodic({
      everyMs: BEAT_EVERY_MS,
      runsAtStart: true,
      work: () => deps.ledger.beat(deps.instanceId, this.#startedAt, this.#facts()),
      onFailure: (error) => deps.logger.write('process.report_failed', { err: error }),
    });
  }

  get report(): RunReport {
    return this.#beats.report;
  }

  start(): void {
    this.#beats.start();
  }

  /** Beats once. Never rejects. */
  run(): Promise<void> {
    return this.#beats.run();
  }

  async close(): Promise<void> {
    const wasStarted = this.#beats.isStarted;
    await this.#beats.close();
    // Whoever does not hear of it forgets this process after a minute.
    if (wasStarted) await this.#deps.ledger.leave(this.#deps.instanceId).catch(() => undefined);
  }

  #facts(): ProcessFacts {
    const { version, traffic, manager, servers, metadataBreaker } = this.#deps;
    const loop = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(loop, this.#loop);
    this.#loop = loop;
    const { seconds, requests, busiest, failing } = traffic.take();
    const { pools: open, draining, leases } = manager.counts();
    const { inUse, idle, waiting } = manager.metadata.snapshot();
    const perSecond = (count: number): number => Math.round((count / seconds) * 10) / 10;
    return {
      version,
      loopUtilization: Math.round(utilization * 1000) / 1000,
      rssBytes: process.memoryUsage.rss(),
      requestsPerSecond: perSecond(requests),
      pools: { open, draining, leases },
      metadata: { circuit: metadataBreaker.state, inUse, idle, waiting },
      servers: servers.map(({ serverId, breaker, connections }) => ({
        serverId,
        circuit: breaker.state,
        ...connections,
      })),
      busiest: busiest.map(({ organizationId, requests: count }) => {
        const pool = manager.peek(organizationId);
        return {
          organizationId,
          requestsPerSecond: perSecond(count),
          open: pool?.open ?? 0,
          waiting: pool?.waiting ?? 0,
        };
      }),
      failing,
    };
  }
}
