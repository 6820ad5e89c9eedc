import type { ExitCode } from '../../presentation/cli/command-context.ts';
import { readPassword } from '../../presentation/cli/read-password.ts';
import { runCli, type CliDependencies } from '../../presentation/cli/run-cli.ts';
import { reasonOf } from '../../domain/reason-of.ts';
import { readVersion } from '../config/version.ts';
import type { OpenedCommand } from './open-command.ts';

const main = async (): Promise<ExitCode> => {
  const interruption = new AbortController();
  // The first one ends the work in good order; the second finds no listener and ends the process.
  if (process.argv[2] === 'migrate') process.once('SIGINT', () => interruption.abort());
  let opened: OpenedCommand | undefined;
  const open = async (): Promise<CliDependencies> => {
    // Help and wrong command lines need nothing of the service, which takes most of a command's time to load.
    const { openCommand } = await import('./open-command.ts');
    opened = await openCommand({
      terminal: process.stdout.isTTY ? process.stdout : null,
      signal: interruption.signal,
    });
    return opened.dependencies;
  };
  try {
    return await runCli(process.argv.slice(2), {
      version: readVersion(),
      open,
      print: (line) => process.stdout.write(`${line}\n`),
      warn: (line) => process.stderr.write(`${line}\n`),
      readPassword: () => readPassword({ input: process.stdin, output: process.stderr }),
    });
  } finally {
    await opened?.close();
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
