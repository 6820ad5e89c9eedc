import { ContainerModule } from 'inversify';
import { OperatorStreams } from '../../application/operators/operator-streams.ts';
import { BackgroundRunner, type Background } from '../background/background-runner.ts';
import { ClusterSurvey } from '../background/cluster-survey.ts';
import { DeniedAccessSummaries } from '../background/denied-access-summaries.ts';
import { FleetSnapshot } from '../background/fleet-snapshot.ts';
import { OperatorStreamLoop } from '../background/operator-stream-loop.ts';
import { ProcessBeats } from '../background/process-beats.ts';
import { ServerSizes } from '../background/server-sizes.ts';
import { UsageWriter } from '../background/usage-writer.ts';
import { readVersion } from '../config/version.ts';
import { HealthMonitor } from '../background/health-monitor.ts';
import { bindSingleton } from './singleton.ts';
import { TOKENS } from './tokens.ts';

/** All that goes on beside the requests. */
export const backgroundModule = new ContainerModule(({ bind }) => {
  bindSingleton(
    bind,
    TOKENS.fleetSnapshot,
    {
      config: TOKENS.config,
      ledger: TOKENS.databaseLedger,
      spares: TOKENS.spareLedger,
      gauge: TOKENS.deploymentGauge,
      releaseSchemas: TOKENS.releaseSchemas,
      times: TOKENS.relayTimes,
      logger: TOKENS.logger,
    },
    ({ config, releaseSchemas, times: { silentForMs }, ...deps }) =>
      new FleetSnapshot({
        ...deps,
        measured: async () => ({
          schemaVersion: (await releaseSchemas()).current,
          engines: config.http.metricsEngines,
          silentForMs,
        }),
      }),
  );
  bindSingleton(
    bind,
    TOKENS.serverSizes,
    { servers: TOKENS.servers, logger: TOKENS.logger },
    ({ servers, logger }) => new ServerSizes({ servers: servers.list(), logger }),
  );
  bindSingleton(
    bind,
    TOKENS.clusterSurvey,
    { connector: TOKENS.metadataConnector, servers: TOKENS.servers, logger: TOKENS.logger },
    ({ connector, servers, logger }) =>
      new ClusterSurvey({ targets: [connector, ...servers.list()], logger }),
  );
  bindSingleton(
    bind,
    TOKENS.processBeats,
    {
      instanceId: TOKENS.instanceId,
      ledger: TOKENS.processLedger,
      traffic: TOKENS.organizationTraffic,
      manager: TOKENS.connectionManager,
      servers: TOKENS.servers,
      metadataBreaker: TOKENS.metadataBreaker,
      logger: TOKENS.logger,
    },
    ({ servers, ...deps }) => new ProcessBeats({ ...deps, servers: servers.list(), version: readVersion() }),
  );
  bindSingleton(
    bind,
    TOKENS.operatorStreams,
    { useCases: TOKENS.useCases },
    ({ useCases: { getOverview } }) => new OperatorStreams({ getOverview, now: () => performance.now() }),
  );
  bindSingleton(
    bind,
    TOKENS.background,
    {
      config: TOKENS.config,
      useCases: TOKENS.useCases,
      servers: TOKENS.servers,
      health: TOKENS.databaseHealth,
      changeFeed: TOKENS.changeFeed,
      clusterSurvey: TOKENS.clusterSurvey,
      outboxRelay: TOKENS.outboxRelay,
      eventStreams: TOKENS.eventStreamLoop,
      operatorStreams: TOKENS.operatorStreams,
      spareKeeper: TOKENS.spareKeeper,
      fleetSnapshot: TOKENS.fleetSnapshot,
      schemaGuard: TOKENS.schemaGuard,
      connectionManager: TOKENS.connectionManager,
      processBeats: TOKENS.processBeats,
      serverSizes: TOKENS.serverSizes,
      runServer: TOKENS.runServer,
      instanceId: TOKENS.instanceId,
      usageCounter: TOKENS.usageCounter,
      usageLedger: TOKENS.usageLedger,
      logger: TOKENS.logger,
    },
    ({ config, useCases, health, connectionManager, logger, ...loops }) =>
      // In the order of their start. The names are labels of metrics.
      new BackgroundRunner({
        // Before the first connection to an organization.
        connection_share: endedWithPools(loops.servers, () => loops.servers.start()),
        // Before anybody is served from what it keeps fresh.
        change_feed: loops.changeFeed,
        cluster_survey: loops.clusterSurvey,
        outbox_relay: loops.outboxRelay,
        event_streams: loops.eventStreams,
        operator_streams: new OperatorStreamLoop({ streams: loops.operatorStreams, logger }),
        spare_refill: loops.spareKeeper,
        fleet_snapshot: loops.fleetSnapshot,
        schema_guard: loops.schemaGuard,
        health_monitor: new HealthMonitor({
          health,
          intervalMs: config.database.healthIntervalMs,
          logger,
        }),
        denied_access: new DeniedAccessSummaries((which) => useCases.summarizeDeniedAccess(which)),
        process_beat: loops.processBeats,
        server_sizes: loops.serverSizes,
        usage: new UsageWriter({
          instanceId: loops.instanceId,
          counter: loops.usageCounter,
          ledger: loops.usageLedger,
          logger,
        }),
        migration_runs: loops.runServer,
        pool_sweep: endedWithPools(connectionManager.sweeps, () => connectionManager.sweeps.start()),
      }),
  );
});

/** The connection manager ends these, when its last pool is closed: the shares go to the other processes then. */
const endedWithPools = (
  task: Pick<Background, 'report' | 'run'>,
  start: Background['start'],
): Background => ({
  start,
  run: () => task.run(),
  close: () => Promise.resolve(),
  get report() {
    return task.report;
  },
});
