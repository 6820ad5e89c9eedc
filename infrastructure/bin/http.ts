import { isatty } from 'node:tty';
import { createPinoLogger } from '../../adapters/pino/pino-logger.ts';
import type { Logger } from '../../application/ports/runtime/logger.ts';
import { reasonOf } from '../../domain/reason-of.ts';
import { createContainer } from '../composition/container.ts';
import type { RunningService } from '../composition/service.ts';
import { TOKENS } from '../composition/tokens.ts';
import { ConfigError } from '../config/config-error.ts';
import { parseConfig, type Config } from '../config/config.ts';
import { readEnvironment, readSources } from '../config/read-environment.ts';
import { assertFreeAddress, isLoopback } from '../http-server/listening-address.ts';
import { effectiveSettings } from '../config/effective-settings.ts';
import { expectedEnvironment, prepareLocalStart, type LocalStart } from '../local/local-start.ts';
import { onStopSignals } from './stop-signals.ts';

const main = async (): Promise<void> => {
  const given = readEnvironment();
  // Mistakes in the configuration and a port that is taken are found before anything is started.
  const { http, logLevel } = parseConfig(expectedEnvironment(given));
  await assertFreeAddress(http.host, http.port);
  const logger = createPinoLogger({ level: logLevel });
  const local = await prepareLocalStart(given, logger);
  try {
    const shown = effectiveSettings(local.environment, readSources());
    const service = createContainer(parseConfig(local.environment), shown).get(TOKENS.service);
    const running = await service.start(local.embedded);
    local.embedded?.keep(logger);
    stopOnSignal(running, local, logger);
    if (local.embedded !== null) greet(running.url, await service.operatorToken(), http, logger);
  } catch (error) {
    await local.stop();
    throw error;
  }
};

const stopOnSignal = (service: RunningService, local: LocalStart, logger: Logger): void => {
  const hadTerminal = [0, 1, 2].some((fd) => isatty(fd));
  onStopSignals({
    stop: (signal) => {
      service
        .stop({ signal, last: { name: 'embedded database server', run: () => local.stop() } })
        .then((clean) => leave(clean ? 0 : 1, { signal, hadTerminal }))
        .catch((error: unknown) => fail(error));
    },
    leave: (signal) => {
      logger.write('service.killed', { signal });
      process.exit(1);
    },
  });
};

const leave = (
  code: number,
  { signal, hadTerminal }: { readonly signal: NodeJS.Signals; readonly hadTerminal: boolean },
): void => {
  // Node aborts when it restores the settings of a terminal that is gone. The signal ends the process without that.
  if (signal === 'SIGHUP' && hadTerminal) {
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
    return;
  }
  process.exit(code);
};

const greet = (url: string, token: string, { host }: Config['http'], logger: Logger): void => {
  process.stdout.write(
    `
Molecular Analysis Dashboard: ${url}   (API pages: ${url}/docs)

Open it, logged in as operator for an hour:

  ${url}/console/#operator=${token}

The same token (platform administrator) for the API:

  ${token}

Try it:

  curl -H 'Authorization: Bearer ${token}' ${url}/organizations

`,
  );
  if (isLoopback(host)) return;
  logger.write('service.exposed', { host, url });
};

const fail = (error: unknown): void => {
  const text = error instanceof ConfigError ? error.message : `The service cannot start: ${reasonOf(error)}`;
  process.stderr.write(`${text}\n`);
  process.exit(1);
};

main().catch(fail);
