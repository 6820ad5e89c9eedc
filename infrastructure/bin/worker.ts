import { tmpdir } from 'node:os';
import { createPinoLogger } from '../../adapters/pino/pino-logger.ts';
import type { Logger } from '../../application/ports/runtime/logger.ts';
import { reasonOf, reasonsOf } from '../../domain/reason-of.ts';
import { ApiClient } from '../../presentation/rest/api-client.ts';
import type { AccessToken } from '../../presentation/worker/access-token.ts';
import { isFleetToken, isRefusal, tokenOf } from '../../presentation/worker/credentials.ts';
import { ENGINES, LEASE_SECONDS, type WorkerIdentity } from '../../presentation/worker/organization-work.ts';
import { backoffMs, pause, pauseUnless } from '../../presentation/worker/retry.ts';
import { VinaEngine } from '../../presentation/worker/vina-engine.ts';
import { FleetSource, OrganizationSource, type WorkSource } from '../../presentation/worker/work-source.ts';
import { Worker } from '../../presentation/worker/worker.ts';
import { readEnvironment } from '../config/read-environment.ts';
import { readVersion } from '../config/version.ts';
import { parseWorkerConfig, type WorkerConfig } from '../config/worker-config.ts';
import { onStopSignals } from './stop-signals.ts';

/** Docks the jobs of an organization or of a fleet, over the service's REST routes, until it is stopped. */
const main = async (): Promise<void> => {
  const config = parseWorkerConfig(readEnvironment());
  const { slots, serviceUrl, name } = config;
  const engine = await VinaEngine.find(config.engine);
  const log = createPinoLogger({ level: config.logLevel });
  const stopping = new AbortController();
  onStopSignals({
    stop: (signal) => {
      log.write('worker.stopping', { signal });
      stopping.abort();
    },
    leave: (signal) => {
      log.write('worker.killed', { signal });
      process.exit(1);
    },
  });
  const source = await openSource(config, log, stopping.signal);
  if (source === null) return;
  log.write('worker.ready', {
    service: serviceUrl,
    name,
    engine: engine.version,
    slots,
    cores: engine.limits.cores,
    memory_mb: engine.limits.memoryMb,
  });
  const worker = new Worker({
    source,
    engine,
    slots,
    leaseSeconds: LEASE_SECONDS,
    temporaryFolder: tmpdir(),
    log,
    wait: pause,
  });
  stopping.signal.addEventListener('abort', () => worker.stop());
  if (stopping.signal.aborted) return;
  await worker.run();
  log.write('worker.stopped', {});
};

/** @returns null: the worker was stopped before the service answered */
const openSource = async (
  { serviceUrl, credentials, name }: WorkerConfig,
  log: Logger,
  signal: AbortSignal,
): Promise<WorkSource | null> => {
  const api = new ApiClient(serviceUrl);
  const token = tokenOf(credentials, api);
  const text = await firstToken(token, log, signal);
  if (text === null) return null;
  const worker: WorkerIdentity = {
    name,
    version: readVersion(),
    engines: ENGINES,
    leaseSeconds: LEASE_SECONDS,
  };
  return isFleetToken(text)
    ? new FleetSource(api, token, worker, log)
    : new OrganizationSource(api, token, worker);
};

/** The service may be started after its workers. Credentials that it refuses are a mistake that waiting does not mend. */
const firstToken = async (token: AccessToken, log: Logger, signal: AbortSignal): Promise<string | null> => {
  for (let failures = 1; !signal.aborted; failures += 1) {
    try {
      return await token.text();
    } catch (error) {
      if (isRefusal(error))
        throw new Error(`The service refuses the worker: ${reasonOf(error)}`, { cause: error });
      const pauseMs = backoffMs(failures, error);
      log.write('worker.service_away', { pause_ms: pauseMs, reason: reasonsOf(error) });
      await pauseUnless(pause, pauseMs, signal);
    }
  }
  return null;
};

main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${reasonOf(error)}\n`);
    process.exit(1);
  },
);
