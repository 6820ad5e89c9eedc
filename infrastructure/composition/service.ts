import type { ReconcileDatabases } from '../../application/databases/reconcile.ts';
import type { FleetOperator } from '../../application/fleet/fleet-operator.ts';
import type { Logger } from '../../application/ports/runtime/logger.ts';
import type { UseCases } from '../../application/use-cases.ts';
import { reasonOf } from '../../domain/reason-of.ts';
import { createApp } from '../../presentation/http/create-app.ts';
import { answerClientError } from '../../presentation/http/errors/client-error.ts';
import type { HttpDependencies } from '../../presentation/http/http-dependencies.ts';
import { messageClasses } from '../../presentation/http/request/message-classes.ts';
import type { Background } from '../background/background-runner.ts';
import type { Config } from '../config/config.ts';
import { listen, type ListeningServer } from '../http-server/http-server.ts';
import { runPhases, type ShutdownPhase } from '../http-server/shutdown.ts';
import type { Stopping } from '../http-server/stopping.ts';
import { metadataMigrations } from '../migrations/migration-source.ts';
import { Migrator } from '../migrations/migrator.ts';
import { ensureDatabase } from '../postgres/ensure-database.ts';
import { registerMetrics, type MeasuredParts } from './register-metrics.ts';

export interface ServiceParts extends MeasuredParts {
  readonly config: Config;
  readonly logger: Logger;
  readonly stopping: Stopping;
  readonly reconcileDatabases: ReconcileDatabases;
  readonly fleetOperator: FleetOperator;
  readonly useCases: UseCases;
  readonly http: HttpDependencies;
  readonly outboxRelay: Background;
}

export interface RunningService {
  readonly url: string;
  /** Ends requests, pools, the metadata pool, in this order, each with a deadline. Returns whether all went well. */
  stop(): Promise<boolean>;
}

const REQUESTS_DEADLINE_MS = 15_000;
/** What is not relayed by then is relayed by another process, or after the next start. */
const AUDIT_DEADLINE_MS = 5000;
const POOLS_DEADLINE_MS = 25_000;

/** One process that answers requests, from its start to its end. */
export class Service {
  readonly #parts: ServiceParts;

  constructor(parts: ServiceParts) {
    this.#parts = parts;
  }

  get logger(): Logger {
    return this.#parts.logger;
  }

  /** A token of a platform administrator, for the person who started the service. */
  operatorToken(): string {
    return this.#parts.useCases.issueOperatorToken();
  }

  /**
   * Brings the service up: metadata database migrated, template built, first administrator made, listening. Call once.
   * Rejects when the metadata database or the port cannot be had; then nothing is left open.
   */
  async start(): Promise<RunningService> {
    const { logger, background } = this.#parts;
    try {
      await this.#prepareDatabases();
      registerMetrics(this.#parts);
      // All that subscribes to changes was made with the parts, and nobody is served before the feed has begun.
      await background.start();
      this.#reconcile();
      this.#tellWhoIsBehind();
      const server = await this.#listen();
      logger.info({ url: server.url }, 'listening');
      return { url: server.url, stop: () => this.#stop(server) };
    } catch (error) {
      await runPhases(this.#ending(), logger);
      throw error;
    }
  }

  async #prepareDatabases(): Promise<void> {
    const { config, logger, useCases } = this.#parts;
    const { metadataUrl } = config.database;
    const created = await ensureDatabase(metadataUrl).catch((error: unknown) => {
      throw new Error(`DB_DATABASE_URL holds ${metadataUrl.redacted}: ${reasonOf(error)}`, { cause: error });
    });
    if (created)
      logger.warn({ database: metadataUrl.database }, 'there was no metadata database; it was created');
    const { applied } = await new Migrator(metadataMigrations).latest(metadataUrl);
    if (applied.length > 0) logger.info({ applied }, 'metadata database migrated');
    await useCases.registerServers();
    await this.#buildTemplates();
    const administrator = config.bootstrapAdministrator;
    if (administrator !== null)
      await useCases.ensureAdministrator(administrator.email, administrator.password);
  }

  /**
   * Waits until one server can take new organizations: none that is away delays the start. Without a template requests of
   * known organizations are still served, and provisioning tries again.
   */
  async #buildTemplates(): Promise<void> {
    const { servers, logger } = this.#parts;
    const builds = servers.list().map(async ({ serverId, template }) => {
      try {
        await template.ready();
      } catch (error) {
        logger.error({ err: error, server: serverId }, 'the results template could not be built');
        throw error;
      }
    });
    await Promise.any(builds).catch(() => undefined);
  }

  /** Finishes what an earlier process left, and reports what else is wrong, without holding up the start. */
  #reconcile(): void {
    const { logger, reconcileDatabases } = this.#parts;
    reconcileDatabases({ dryRun: false, quarantineForeign: false, resumeOnly: true }).then(
      ({ findings, unreachable }) =>
        logger.info({ findings: findings.length, unreachable }, 'results databases reconciled'),
      (error: unknown) => logger.warn({ err: error }, 'results databases could not be reconciled'),
    );
  }

  /** A release serves older schemas for a while; an operator has to know that it should not be for long. */
  #tellWhoIsBehind(): void {
    const { logger, fleetOperator } = this.#parts;
    fleetOperator.plan({ only: null, canaries: 0, waveSize: { percent: 100 } }).then(
      ({ items, target }) => {
        if (items.length === 0) return;
        logger.warn(
          { organizations: items.length, schema_version: target },
          'organizations are behind this release: see "npx mad migrate plan"',
        );
      },
      (error: unknown) => logger.warn({ err: error }, 'it is not known which organizations are behind'),
    );
  }

  async #listen(): Promise<ListeningServer> {
    const { config, http } = this.#parts;
    const { host, port } = config.http;
    const app = createApp(http);
    const messages = messageClasses(app);
    try {
      return await listen(app, host, port, { answerClientError: answerClientError(http), messages });
    } catch (error) {
      throw new Error(`HOST holds ${host} and PORT ${port}: ${reasonOf(error)}`, { cause: error });
    }
  }

  #stop(server: ListeningServer): Promise<boolean> {
    const { stopping, logger } = this.#parts;
    stopping.begin();
    logger.info({}, 'stopping');
    const requests = [
      { name: 'requests', deadlineMs: REQUESTS_DEADLINE_MS, run: () => server.close() },
      { name: 'cut requests', deadlineMs: 1000, run: async () => server.closeNow() },
    ];
    return runPhases([...requests, ...this.#ending()], logger);
  }

  /** What ends after the last request, in this order. */
  #ending(): readonly ShutdownPhase[] {
    const { outboxRelay, background, connectionManager } = this.#parts;
    return [
      {
        // Before the pools go that hold the entries.
        name: 'audit entries',
        deadlineMs: AUDIT_DEADLINE_MS,
        run: () => outboxRelay.close(),
      },
      { name: 'background work', deadlineMs: POOLS_DEADLINE_MS, run: () => background.close() },
      { name: 'pools', deadlineMs: POOLS_DEADLINE_MS, run: () => connectionManager.closeAll() },
    ];
  }
}
