import type { Container } from 'inversify';
import type { CommandEnds } from '../../infrastructure/composition/cli-dependencies.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import type { CliSurroundings } from '../../presentation/cli/run-cli.ts';
import { runCommandLine, type CommandOutcome } from './fakes/fake-cli.ts';

/** Runs a command line on the databases of a container. */
export const runCommandOn = (
  container: Container,
  argv: readonly string[],
  ends: Partial<CommandEnds> = {},
  surroundings: Partial<CliSurroundings> = {},
): Promise<CommandOutcome> =>
  runCommandLine(argv, {
    ...surroundings,
    open: async () =>
      container.get(TOKENS.cliDependencies)({
        terminal: null,
        signal: new AbortController().signal,
        ...ends,
      }),
  });
