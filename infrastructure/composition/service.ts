import type { Container } from 'inversify';
import type { Logger } from '../../application/ports/logger.ts';
import { createApp } from '../../presentation/http/create-app.ts';
import type { Config } from '../config/config.ts';
import { ensureDatabase } from '../database/ensure-database.ts';
import { HealthMonitor } from '../lifecycle/health-monitor.ts';
import { listen } from '../lifecycle/http-server.ts';
import { runPhases } from '../lifecycle/shutdown.ts';
import { metadataMigrations } from '../migrations/migration-source.ts';
import { Migrator } from '../migrations/migrator.ts';
import { createContainer } from './container.ts';
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
const POOLS_DEADLINE_MS = 25_000;

/**
 * Brings the service up: metadata database migrated, template built, first administrator made, listening.
 * Rejects when the metadata database cannot be had; then nothing is left open.
 */
export const startService = async (config: Config): Promise<Service> => {
  const container = createContainer(config);
  const logger = container.get(TOKENS.logger);
  const stopping = container.get(TOKENS.stopping);
  const manager = container.get(TOKENS.connectionManager);
  const keeper = container.get(TOKENS.spareKeeper);
  const fleet = container.get(TOKENS.fleetSnapshot);
  const changeFeed = container.get(TOKENS.changeFeed);
  const monitor = new HealthMonitor(() => manager.healthCheck(), config.database.healthIntervalMs, logger);
  try {
    await ensureDatabase(config.database.metadataUrl);
    const { applied } = await new Migrator(metadataMigrations).latest(config.database.metadataUrl);
    if (applied.length > 0) logger.info({ applied }, 'metadata database migrated');
    // Without it requests of known organizations are still served; provisioning tries again.
    await container
      .get(TOKENS.resultsTemplate)
      .ready()
      .catch((error: unknown) => logger.error({ err: error }, 'the results template could not be built'));
    const administrator = config.bootstrapAdministrator;
    if (administrator !== null) {
      await container.get(TOKENS.ensureAdministrator).execute(administrator.email, administrator.password);
    }
    await container.get(TOKENS.deploymentShare).start();
    registerMetrics(container.get(TOKENS.metrics), manager, fleet, {
      metadata: container.get(TOKENS.metadataBreaker),
      results: container.get(TOKENS.resultsBreaker),
    });
    fleet.start();
    monitor.start();
    keeper.start();
    reconcileInBackground(container);
    const app = createApp(container.get(TOKENS.httpDependencies));
    // After all that subscribes to it was made, and before anybody is served from what it keeps fresh.
    await changeFeed.start();
    const server = await listen(app, config.http.host, config.http.port);
    logger.info({ url: server.url }, 'listening');
    return {
      url: server.url,
      logger,
      operatorToken: () =>
        container
          .get(TOKENS.tokenIssuer)
          .issue({ userId: 'operator', organizationId: null, roles: new Set(['platform_admin']) })
          .accessToken,
      stop: () => {
        stopping.begin();
        return runPhases(
          [
            { name: 'requests', deadlineMs: REQUESTS_DEADLINE_MS, run: () => server.close() },
            { name: 'cut requests', deadlineMs: 1000, run: async () => server.closeNow() },
            {
              name: 'background work',
              deadlineMs: POOLS_DEADLINE_MS,
              run: async () => {
                await Promise.all([keeper.close(), fleet.close(), monitor.close(), changeFeed.close()]);
              },
            },
            { name: 'pools', deadlineMs: POOLS_DEADLINE_MS, run: () => manager.closeAll() },
            { name: 'container', deadlineMs: POOLS_DEADLINE_MS, run: () => container.unbindAllAsync() },
          ],
          logger,
        );
      },
    };
  } catch (error) {
    await changeFeed.close();
    await manager.closeAll();
    throw error;
  }
};

/** Finishes what an earlier process left, and reports what else is wrong, without holding up the start. */
const reconcileInBackground = (container: Container): void => {
  const logger = container.get(TOKENS.logger);
  container
    .get(TOKENS.reconciler)
    .reconcile({ dryRun: false, quarantineForeign: false, resumeOnly: true })
    .then(
      (findings) => logger.info({ findings: findings.length }, 'results databases reconciled'),
      (error: unknown) => logger.warn({ err: error }, 'results databases could not be reconciled'),
    );
};
