import type { ExitCode } from '../../presentation/cli/command-context.ts';
import { runCli } from '../../presentation/cli/run-cli.ts';
import { createContainer } from '../composition/container.ts';
import { TOKENS } from '../composition/tokens.ts';
import { parseConfig, readEnvironment } from '../config/config.ts';
import { prepareLocalCommand } from '../local/local-command.ts';
import { reasonOf } from '../../domain/reason-of.ts';

const main = async (): Promise<ExitCode> => {
  const local = await prepareLocalCommand({ LOG_LEVEL: 'error', ...readEnvironment() });
  try {
    const config = parseConfig(local.environment);
    const container = createContainer(config);
    const manager = container.get(TOKENS.connectionManager);
    const interruption = new AbortController();
    // The first one ends the work in good order; the second finds no listener and ends the process.
    if (process.argv[2] === 'migrate') process.once('SIGINT', () => interruption.abort());
    try {
      return await runCli(
        process.argv.slice(2),
        container.get(TOKENS.cliDependencies)({
          print: (line) => process.stdout.write(`${line}\n`),
          terminal: process.stdout.isTTY ? process.stdout : null,
          signal: interruption.signal,
        }),
      );
    } finally {
      await manager.closeAll();
    }
  } finally {
    await local.stop();
  }
};

main().then(
  (exitCode) => {
    process.exitCode = exitCode;
  },
  (error: unknown) => {
    process.stderr.write(`${reasonOf(error)}\n`);
    process.exitCode = 1;
  },
);
