import type { ExitCode } from '../../../presentation/cli/command-context.ts';
import { runCli, type CliSurroundings } from '../../../presentation/cli/run-cli.ts';

export interface CommandOutcome {
  readonly exitCode: ExitCode;
  /** What it wrote, to either stream. */
  readonly lines: readonly string[];
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command line in this process, and keeps what it writes. */
export const runCommandLine = async (
  argv: readonly string[],
  surroundings: Pick<CliSurroundings, 'open'> & Partial<CliSurroundings>,
): Promise<CommandOutcome> => {
  const written: { readonly line: string; readonly isResult: boolean }[] = [];
  const write =
    (isResult: boolean) =>
    (text: string): void =>
      void written.push(...text.split('\n').map((line) => ({ line, isResult })));
  const exitCode = await runCli(argv, {
    version: '1.2.3',
    print: write(true),
    warn: write(false),
    readPassword: () => Promise.reject(new Error('nobody is there to type a password')),
    ...surroundings,
  });
  const linesOf = (which: boolean): string =>
    written.flatMap(({ line, isResult }) => (isResult === which ? [line] : [])).join('\n');
  return {
    exitCode,
    lines: written.map(({ line }) => line),
    stdout: linesOf(true),
    stderr: linesOf(false),
  };
};
