import { createContainer } from '../composition/container.ts';
import { operatorToken, startService } from '../composition/service.ts';
import { TOKENS } from '../composition/tokens.ts';
import { parseConfig, readEnvironment, type Config } from '../config/config.ts';
import { prepareLocalCommand } from '../local/local-command.ts';
import { findService } from '../demo/find-service.ts';
import { Narration } from '../demo/narration.ts';
import { runDemo } from '../demo/run-demo.ts';
import { reasonOf } from '../../domain/reason-of.ts';

/** Uses the service that runs here, or starts one on a free port and stops it at the end. */
const main = async (): Promise<void> => {
  const local = await prepareLocalCommand(readEnvironment());
  try {
    // The service's log is not part of the story, unless somebody asks for it.
    await runWith(parseConfig({ LOG_LEVEL: 'error', ...local.environment }));
  } finally {
    await local.stop();
  }
};

const runWith = async (config: Config): Promise<void> => {
  const say = new Narration((text) => process.stdout.write(text));
  if (config.tokens.secret === null)
    throw new Error('JWT_SECRET is not set: without it this deployment issues no tokens');
  const container = createContainer(config);
  const token = operatorToken(container);
  const running = await findService(config, token);
  const started =
    running === null ? await startService({ ...config, http: { ...config.http, port: 0 } }) : null;
  try {
    const url = running ?? started?.url ?? '';
    say.step('The service');
    say.line(running === null ? `started for this demo: ${url}` : `already running: ${url}`);
    say.line(`metadata database: ${config.database.metadataUrl.redacted}`);
    await runDemo(
      {
        url,
        operatorToken: token,
        resultsUrls: config.database.servers[0].urls,
      },
      say,
    );
  } finally {
    await container.get(TOKENS.connectionManager).closeAll();
    await started?.stop();
  }
};

main().then(
  () => process.stdout.write('\nAll as it should be.\n'),
  (error: unknown) => {
    process.exitCode = 1;
    process.stderr.write(`\nThe demo failed: ${reasonOf(error)}\n`);
  },
);
