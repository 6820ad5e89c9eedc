import type { Container } from 'inversify';
import type { Logger } from '../../application/ports/runtime/logger.ts';
import { answerClientError } from '../../presentation/http/errors/client-error.ts';
import { createApp } from '../../presentation/http/create-app.ts';
import { messageClasses } from '../../presentation/http/request/message-classes.ts';
import type { Config } from '../config/config.ts';
import { ensureDatabase } from '../postgres/ensure-database.ts';
import { DeniedAccessSummaries } from '../background/denied-access-summaries.ts';
import { HealthMonitor } from '../background/health-monitor.ts';
import { listen } from '../http-server/http-server.ts';
import { runPhases, type ShutdownPhase } from '../http-server/shutdown.ts';
import { metadataMigrations } from '../migrations/migration-source.ts';
import { Migrator } from '../migrations/migrator.ts';
import { reasonOf } from '../../domain/reason-of.ts';
import { createContainer } from './container.ts';
import { startOutboxRelay } from './start-outbox-relay.ts';
import { registerMetrics } from './register-metrics.ts';
import { TOKENS } from './tokens.ts';

export interface Service {
  readonly url: string;
  readonly logger: Logger;
  /** A token of a platform administrator, for the person who started the service. */
  operatorToken(): string;
  /** Ends requests, pools, the metadata pool, in this order, each with a deadline. Returns whether all went well. */
  stop(): Promise<boolean>;
}

const REQUESTS_DEADLINE_MS = 15_000;
/** What is not carried by then is carried by another process, or after the next start. */
const AUDIT_DEADLINE_MS = 5000;
const POOLS_DEADLINE_MS = 25_000;

/**
 * Brings the service up: metadata database migrated, template built, first administrator made, listening.
 * Rejects when the metadata database or the port cannot be had; then nothing is left open.
 */
export const startService = async (config: Config): Promise<Service> => {
  const container = createContainer(config);
  const logger = container.get(TOKENS.logger);
  const background = createBackground(container, config);
  const end = endingPhases(container, background);
  try {
    await prepareDatabases(container, config);
    await container.get(TOKENS.servers).start();
    registerMetrics(container);
    const http = container.get(TOKENS.httpDependencies);
    const app = createApp(http);
    // After all that subscribes to it was made, and before anybody is served from what it keeps fresh.
    await container.get(TOKENS.changeFeed).start();
    startOutboxRelay(container);
    for (const work of background) work.start();
    reconcileInBackground(container);
    tellWhoIsBehind(container);
    const { host, port } = config.http;
    const server = await listen(app, host, port, {
      answerClientError: answerClientError(http),
      messages: messageClasses(app),
    }).catch((error: unknown) => {
      throw new Error(`HOST holds ${host} and PORT ${port}: ${reasonOf(error)}`, { cause: error });
    });
    logger.info({ url: server.url }, 'listening');
    return {
      url: server.url,
      logger,
      operatorToken: () => operatorToken(container),
      stop: () => {
        container.get(TOKENS.stopping).begin();
        logger.info({}, 'stopping');
        const requests = [
          { name: 'requests', deadlineMs: REQUESTS_DEADLINE_MS, run: () => server.close() },
          { name: 'cut requests', deadlineMs: 1000, run: async () => server.closeNow() },
        ];
        return runPhases([...requests, ...end], logger);
      },
    };
  } catch (error) {
    await runPhases(end, logger);
    throw error;
  }
};

/** A token of a platform administrator who is no user: for whoever holds the deployment's secret. */
export const operatorToken = (container: Container): string =>
  container
    .get(TOKENS.tokenIssuer)
    .issue({ userId: 'operator', organizationId: null, roles: new Set(['platform_admin']) }).accessToken;

const prepareDatabases = async (container: Container, config: Config): Promise<void> => {
  const logger = container.get(TOKENS.logger);
  const { metadataUrl } = config.database;
  const created = await ensureDatabase(metadataUrl).catch((error: unknown) => {
    throw new Error(`DB_DATABASE_URL holds ${metadataUrl.redacted}: ${reasonOf(error)}`, { cause: error });
  });
  if (created)
    logger.warn({ database: metadataUrl.database }, 'there was no metadata database; it was created');
  const { applied } = await new Migrator(metadataMigrations).latest(metadataUrl);
  if (applied.length > 0) logger.info({ applied }, 'metadata database migrated');
  // Without it requests of known organizations are still served; provisioning tries again.
  await Promise.all(
    container
      .get(TOKENS.servers)
      .list()
      .map(({ serverId, template }) =>
        template.ready().catch((error: unknown) => {
          logger.error({ err: error, server: serverId }, 'the results template could not be built');
        }),
      ),
  );
  const administrator = config.bootstrapAdministrator;
  if (administrator !== null)
    await container.get(TOKENS.ensureAdministrator).execute(administrator.email, administrator.password);
};

/** Work that goes on beside the requests. Closing it is safe before it was started, too. */
interface Background {
  start(): void;
  close(): Promise<void>;
}

const createBackground = (container: Container, config: Config): readonly Background[] => {
  const logger = container.get(TOKENS.logger);
  return [
    container.get(TOKENS.spareKeeper),
    container.get(TOKENS.fleetSnapshot),
    container.get(TOKENS.schemaGuard),
    new HealthMonitor(container.get(TOKENS.databaseHealth), config.database.healthIntervalMs, logger),
    new DeniedAccessSummaries(container.get(TOKENS.httpDependencies).recordDeniedAccess),
  ];
};

/** What ends after the last request, in this order. */
const endingPhases = (container: Container, background: readonly Background[]): readonly ShutdownPhase[] => [
  {
    // Before the pools go that hold the entries.
    name: 'audit entries',
    deadlineMs: AUDIT_DEADLINE_MS,
    run: () => container.get(TOKENS.outboxRelay).close(),
  },
  {
    name: 'background work',
    deadlineMs: POOLS_DEADLINE_MS,
    run: async () => {
      const all = [...background, container.get(TOKENS.changeFeed)];
      await Promise.all(all.map((work) => work.close()));
    },
  },
  {
    name: 'pools',
    deadlineMs: POOLS_DEADLINE_MS,
    run: () => container.get(TOKENS.connectionManager).closeAll(),
  },
  { name: 'container', deadlineMs: POOLS_DEADLINE_MS, run: () => container.unbindAllAsync() },
];

/** A release serves older schemas for a while; somebody has to know that it should not be for long. */
const tellWhoIsBehind = (container: Container): void => {
  const logger = container.get(TOKENS.logger);
  container
    .get(TOKENS.fleetOperator)
    .plan({ only: null, canaries: 0, waveSize: { percent: 100 } })
    .then(
      ({ items, target }) => {
        if (items.length === 0) return;
        logger.warn(
          { organizations: items.length, schema_version: target },
          'organizations are behind this release: see "npm run cli -- migrate plan"',
        );
      },
      (error: unknown) => logger.warn({ err: error }, 'it is not known which organizations are behind'),
    );
};

/** Finishes what an earlier process left, and reports what else is wrong, without holding up the start. */
const reconcileInBackground = (container: Container): void => {
  const logger = container.get(TOKENS.logger);
  container
    .get(TOKENS.reconcileDatabases)({ dryRun: false, quarantineForeign: false, resumeOnly: true })
    .then(
      ({ findings }) => logger.info({ findings: findings.length }, 'results databases reconciled'),
      (error: unknown) => logger.warn({ err: error }, 'results databases could not be reconciled'),
    );
};
