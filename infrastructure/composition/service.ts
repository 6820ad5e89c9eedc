import { setTimeout as sleep } from 'node:timers/promises';
import type { LazyTracing } from '../../adapters/opentelemetry/lazy-tracing.ts';
import type { ReconcileDatabases } from '../../application/databases/reconcile.ts';
import type { Logger } from '../../application/ports/runtime/logger.ts';
import type { UseCases } from '../../application/use-cases.ts';
import { reasonOf } from '../../domain/reason-of.ts';
import { createApp } from '../../presentation/http/create-app.ts';
import { answerClientError } from '../../presentation/http/errors/client-error.ts';
import type { HttpDependencies } from '../../presentation/http/http-dependencies.ts';
import { isOpenEnded, isStream, noteCut } from '../../presentation/http/request/access-log.ts';
import { messageClasses } from '../../presentation/http/request/message-classes.ts';
import type { OutboxRelayLoop } from '../background/outbox-relay-loop.ts';
import type { ClusterSurvey } from '../background/cluster-survey.ts';
import type { OperatorStreams } from '../../application/operators/operator-streams.ts';
import type { EventStreams } from '../../application/events/event-streams.ts';
import { listen, type ListeningServer } from '../http-server/http-server.ts';
import { addressError } from '../http-server/listening-address.ts';
import { runPhases, type ShutdownPhase } from '../http-server/shutdown.ts';
import type { Stopping } from '../http-server/stopping.ts';
import { metadataMigrations } from '../migrations/migration-source.ts';
import { Migrator } from '../migrations/migrator.ts';
import type { DatabaseUrl } from '../postgres/database-url.ts';
import { ensureDatabase } from '../postgres/ensure-database.ts';
import { withDeadline } from '../timing/with-deadline.ts';
import { serveWithoutOperators, tellOperators, type DutyParts, type LocalDuties } from './start-duties.ts';
import type { MetadataConnector } from '../postgres/metadata-connector.ts';
import type { MeasuredParts } from './measured-parts.ts';
import { registerMetrics } from './register-metrics.ts';

export interface ServiceParts extends MeasuredParts, DutyParts {
  readonly logger: Logger;
  readonly metadataConnector: MetadataConnector;
  readonly clusterSurvey: ClusterSurvey;
  readonly stopping: Stopping;
  readonly reconcileDatabases: ReconcileDatabases;
  readonly tracing: LazyTracing | null;
  readonly useCases: UseCases;
  readonly http: HttpDependencies;
  readonly outboxRelay: OutboxRelayLoop;
  readonly eventStreams: Pick<EventStreams, 'close'>;
  readonly operatorStreams: Pick<OperatorStreams, 'close'>;
}

export interface RunningService {
  readonly url: string;
  /**
   * Ends requests, pools, the metadata pool and what `last` says, in this order, within the time of the configuration.
   * Returns whether all went well.
   */
  stop(options?: StopOptions): Promise<boolean>;
}

export interface StopOptions {
  /** Who asks for the stop, for the log. */
  readonly signal?: NodeJS.Signals;
  readonly last?: { readonly name: string; readonly run: () => Promise<void> };
}

/** The part of a stop's time in which the collector of traces may take what is left for it. */
const FLUSH_PART = 0.03;

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
  async operatorToken(): Promise<string> {
    return (await this.#parts.useCases.grantOperatorToken()).accessToken;
  }

  /**
   * Brings the service up: metadata database migrated, template built, first administrator made, listening. Call once.
   * Rejects when the metadata database or the port cannot be had; then nothing is left open.
   *
   * @param local set for a service on this machine's embedded server: nobody operates it, so it migrates organizations'
   *   databases by itself; its operator is given a token in place of an account
   */
  async start(local: LocalDuties | null = null): Promise<RunningService> {
    const { config, logger, background } = this.#parts;
    for (const { name, meant } of config.unknownVariables)
      logger.write('service.variable_unknown', { variable: name, meant });
    try {
      await this.#parts.tracing?.start();
      await this.#prepareDatabases();
      registerMetrics(this.#parts);
      // All that subscribes to changes was made with the parts, and nobody is served before the feed has begun.
      await background.start();
      this.#reconcile();
      if (local === null) tellOperators(this.#parts);
      else await serveWithoutOperators(this.#parts, local);
      const server = await this.#listen();
      logger.write('service.listening', { url: server.url });
      return { url: server.url, stop: (options) => this.#stop(server, options) };
    } catch (error) {
      await runPhases(this.#ending(), { timeoutMs: config.shutdown.timeoutMs, logger });
      throw error;
    }
  }

  async #prepareDatabases(): Promise<void> {
    const { config, logger, useCases, metadataConnector, clusterSurvey } = this.#parts;
    const { metadataUrl, metadataAdminUrl } = config.database;
    logger.write('service.metadata_preparing', { database: metadataUrl.database });
    // Nothing is written before it is known which of several servers is the primary.
    await clusterSurvey.look();
    const created = await reach(metadataAdminUrl, ensureDatabase(metadataAdminUrl));
    if (created) logger.write('service.metadata_created', { database: metadataUrl.database });
    const { applied, newer } = await new Migrator(metadataMigrations).latest(metadataAdminUrl, {
      toleratesNewer: true,
    });
    await reach(metadataUrl, metadataConnector.check());
    if (applied.length > 0) logger.write('service.metadata_migrated', { applied });
    if (newer.length > 0) logger.write('service.metadata_newer', { newer });
    await useCases.registerServers();
    logger.write('service.template_preparing', {});
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
        logger.write('template.build_failed', { err: error, server: serverId });
        throw error;
      }
    });
    await Promise.any(builds).catch(() => undefined);
  }

  /** Finishes what an earlier process left, and reports what else is wrong, without holding up the start. */
  #reconcile(): void {
    const { logger, reconcileDatabases } = this.#parts;
    reconcileDatabases({ dryRun: false, quarantineForeign: false, resumeOnly: true, origin: 'start' }).then(
      ({ findings, unreachable }) =>
        logger.write('reconciler.finished', { findings: findings.length, unreachable }),
      (error: unknown) => logger.write('reconciler.failed', { err: error }),
    );
  }

  async #listen(): Promise<ListeningServer> {
    const { config, http } = this.#parts;
    const { host, port, responses } = config.http;
    const { files } = config;
    const app = createApp(http);
    const messages = messageClasses(app);
    try {
      return await listen(app, host, port, {
        answerClientError: answerClientError(http),
        messages,
        limits: {
          stalledAnswer: responses.stallMs,
          wholeAnswer: responses.deadlineMs,
          stalledUpload: files.stallMs,
          wholeTransfer: files.deadlineMs,
        },
        onCut: noteCut,
        isOpenEnded,
        streams: isStream,
      });
    } catch (error) {
      throw error instanceof Error ? addressError(host, port, error) : error;
    }
  }

  async #stop(server: ListeningServer, { signal, last }: StopOptions = {}): Promise<boolean> {
    const { config, stopping, eventStreams, operatorStreams, logger } = this.#parts;
    const { timeoutMs, delayMs } = config.shutdown;
    const beganAt = performance.now();
    stopping.begin();
    logger.write('service.stopping', {
      delay_ms: delayMs,
      timeout_ms: timeoutMs,
      ...(signal && { signal }),
    });
    // Load balancers learn from /ready that they have to send requests elsewhere.
    if (delayMs > 0) await sleep(delayMs);
    const phases = [
      {
        name: 'requests',
        endsBy: 0.55,
        run: () => {
          const closed = server.close();
          // They would last. Their clients connect again, and this process is not to be reached any longer.
          eventStreams.close();
          operatorStreams.close();
          return closed;
        },
      },
      { name: 'cut requests', endsBy: 0.57, run: async () => server.closeNow() },
      ...this.#ending(),
      ...(last === undefined ? [] : [{ ...last, endsBy: 1 }]),
    ];
    const unfinished = await runPhases(phases, { timeoutMs: timeoutMs - delayMs, logger });
    const tookMs = Math.round(performance.now() - beganAt);
    if (unfinished.length === 0) logger.write('service.stopped', { took_ms: tookMs });
    else logger.write('service.stop_unfinished', { took_ms: tookMs, unfinished });
    return unfinished.length === 0;
  }

  /** What ends after the last request, in this order. */
  #ending(): readonly ShutdownPhase[] {
    const { config, outboxRelay, background, connectionManager, tracing } = this.#parts;
    const { timeoutMs } = config.shutdown;
    return [
      // Before the pools go that hold the entries. What is not relayed by then another process relays, or the next start.
      { name: 'audit entries', endsBy: 0.67, run: () => outboxRelay.close() },
      { name: 'background work', endsBy: 0.75, run: () => background.close() },
      { name: 'pools', endsBy: 0.93, run: () => connectionManager.closeAll() },
      // Last, as what goes before is traced. A collector that does not answer makes no stop unclean.
      ...(tracing === null
        ? []
        : [
            {
              name: 'traces',
              endsBy: 0.97,
              run: () => withDeadline(tracing.close(), FLUSH_PART * timeoutMs, true).catch(() => undefined),
            },
          ]),
    ];
  }
}

/** Names the variable and the address in the error, where the metadata database cannot be reached. */
const reach = <Result>(url: DatabaseUrl, work: Promise<Result>): Promise<Result> =>
  work.catch((error: unknown) => {
    throw new Error(`DB_DATABASE_URL holds ${url.redacted}: ${reasonOf(error)}`, { cause: error });
  });
