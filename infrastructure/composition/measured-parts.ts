import type { PrometheusMetrics } from '../../adapters/prometheus/prometheus-metrics.ts';
import type { HttpDependencies } from '../../presentation/http/http-dependencies.ts';
import type { BackgroundRunner } from '../background/background-runner.ts';
import type { MetadataChangeFeed } from '../changes/metadata-change-feed.ts';
import type { FleetSnapshot } from '../background/fleet-snapshot.ts';
import type { OutboxRelayLoop } from '../background/outbox-relay-loop.ts';
import type { ProcessBeats } from '../background/process-beats.ts';
import type { ServerSizes } from '../background/server-sizes.ts';
import type { WorkFigures } from '../../application/work/work-figures.ts';
import type { Config } from '../config/config.ts';
import type { CircuitBreaker } from '../pools/circuit-breaker.ts';
import type { DatabaseConnectionManager } from '../routing/database-connection-manager.ts';
import type { ResultsServers } from '../servers/results-servers.ts';

/** What a scrape reads off. */
export interface MeasuredParts {
  readonly config: Config;
  readonly metrics: PrometheusMetrics;
  readonly connectionManager: DatabaseConnectionManager;
  readonly metadataBreaker: CircuitBreaker;
  readonly servers: ResultsServers;
  readonly fleetSnapshot: FleetSnapshot;
  readonly background: BackgroundRunner;
  readonly http: Pick<HttpDependencies, 'responses' | 'eventStreams' | 'operatorStreams'>;
  readonly changeFeed: Pick<MetadataChangeFeed, 'ageMs'>;
  readonly processBeats: Pick<ProcessBeats, 'loopUtilization' | 'organizationsFailing'>;
  readonly outboxRelay: Pick<OutboxRelayLoop, 'oldestMs'>;
  readonly serverSizes: Pick<ServerSizes, 'bytes'>;
  readonly workFigures: WorkFigures;
}

/** One for each value of a label. */
export const samples = (label: string, values: Readonly<Record<string, number>>) =>
  Object.entries(values).map(([key, value]) => ({ labels: { [label]: key }, value }));
