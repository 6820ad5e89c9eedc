import { ContainerModule } from 'inversify';
import { networkOf } from '../../adapters/ipaddr/network-of.ts';
import { runWithRequestContext } from '../../adapters/pino/request-context.ts';
import { ResponseAccount } from '../../presentation/http/request/response-account.ts';
import { runTask } from '../../application/operators/run-task.ts';
import { RequestLimits } from '../../application/limits/request-limits.ts';
import { StorageQuota } from '../../application/limits/storage-quota.ts';
import { readVersion } from '../config/version.ts';
import { logsOperations } from './observed-databases.ts';
import { bindSingleton } from './singleton.ts';
import { TOKENS } from './tokens.ts';

export const httpModule = new ContainerModule(({ bind }) => {
  bindSingleton(
    bind,
    TOKENS.httpDependencies,
    {
      config: TOKENS.config,
      settings: TOKENS.settings,
      useCases: TOKENS.useCases,
      metadata: TOKENS.metadataDatabase,
      fleet: TOKENS.fleetLedger,
      steering: TOKENS.fleetSteering,
      databases: TOKENS.connectionManager,
      health: TOKENS.databaseHealth,
      changeFeed: TOKENS.changeFeed,
      eventStreams: TOKENS.eventStreams,
      operatorStreams: TOKENS.operatorStreams,
      fileStore: TOKENS.fileStore,
      policies: TOKENS.organizationPolicies,
      logger: TOKENS.logger,
      metrics: TOKENS.metrics,
      tracing: TOKENS.tracing,
      traffic: TOKENS.organizationTraffic,
      usageCounter: TOKENS.usageCounter,
      processes: TOKENS.processLedger,
      instanceId: TOKENS.instanceId,
      operators: TOKENS.operatorsLedger,
      tasks: TOKENS.background,
      workFigures: TOKENS.workFigures,
      stopping: TOKENS.stopping,
    },
    ({ config, useCases, metrics, traffic, usageCounter, stopping, ...ports }) => {
      const { organizationPool, maxOrganizationIdLength } = config.database;
      const { publicRequestsPerMinute, organization } = config.limits;
      const organizationQuotas = { ...organization, filesBytes: config.files.organizationBytes };
      const { policies } = ports;
      return {
        ...ports,
        ...useCases,
        runTask: runTask(ports),
        runWithRequestContext: logsOperations(config) ? runWithRequestContext : (_context, run) => run(),
        requestLimits: new RequestLimits({
          policies,
          rates: { publicRequestsPerMinute, ...organizationQuotas },
          networkOf,
        }),
        storageQuota: new StorageQuota({
          policies,
          maxBytes: organizationQuotas.storageBytes,
          onMeasured: (organizationId, bytes) => usageCounter.noteStored(organizationId, bytes),
        }),
        httpMetrics: {
          observe: (request) => {
            metrics.observe(request);
            traffic.observe(request);
            usageCounter.observe(request);
          },
        },
        responses: new ResponseAccount(config.http.responses),
        renderMetrics: () => metrics.renderMetrics(),
        options: {
          version: readVersion(),
          maxOrganizationIdLength,
          trustedProxies: config.http.trustedProxies,
          corsOrigins: config.http.corsOrigins,
          maxConnectionsPerOrganization: organizationPool.size + organizationPool.maxOverflow,
          organizationQuotas,
          maxFileBytes: config.files.maxFileBytes,
          readyStrict: config.http.readyStrict,
          hideOrganizationNames: config.environment === 'production',
          isStopping: () => stopping.hasBegun,
        },
      };
    },
  );
});
