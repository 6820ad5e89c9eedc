import { createContainer } from '../composition/container.ts';
import type { RunningService } from '../composition/service.ts';
import { TOKENS } from '../composition/tokens.ts';
import { ConfigError } from '../config/config-error.ts';
import { parseConfig, readEnvironment } from '../config/config.ts';
import { prepareLocalStart, type LocalStart } from '../local/local-start.ts';
import { reasonOf } from '../../domain/reason-of.ts';

const main = async (): Promise<void> => {
  const local = await prepareLocalStart(readEnvironment());
  try {
    const service = createContainer(parseConfig(local.environment)).get(TOKENS.service);
    const running = await service.start();
    if (local.embedded) greet(running.url, service.operatorToken());
    local.keep(service.logger);
    stopOnSignal(running, local);
  } catch (error) {
    await local.stop();
    throw error;
  }
};

/** A terminal sends its Ctrl-C to npm and to us, and npm passes its own on. */
const ECHO_MS = 500;

const stopOnSignal = (service: RunningService, local: LocalStart): void => {
  let asked: { readonly signal: NodeJS.Signals; readonly at: number } | null = null;
  const stop = (signal: NodeJS.Signals): void => {
    if (asked !== null) {
      if (signal === asked.signal && performance.now() - asked.at < ECHO_MS) return;
      // Somebody who asks twice does not want to wait.
      process.exit(1);
    }
    asked = { signal, at: performance.now() };
    void service
      .stop()
      .then((clean) => local.stop().then(() => process.exit(clean ? 0 : 1)))
      .catch((error: unknown) => fail(error));
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
};

const greet = (url: string, token: string): void => {
  process.stdout.write(
    `
Molecular Analysis Dashboard: ${url}   (API pages: ${url}/docs)
Operator token (platform administrator):

  ${token}

Try it:

  curl -H 'Authorization: Bearer ${token}' ${url}/organizations

`,
  );
};

const fail = (error: unknown): void => {
  const text = error instanceof ConfigError ? error.message : `The service cannot start: ${reasonOf(error)}`;
  process.stderr.write(`${text}\n`);
  process.exit(1);
};

main().catch(fail);
