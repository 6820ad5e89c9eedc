import type { ExitCode } from '../../../presentation/cli/command-context.ts';
import { runCli, type CliDependencies, type CliSurroundings } from '../../../presentation/cli/run-cli.ts';

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

/** What was written to both streams. */
export type Outcome = Pick<CommandOutcome, 'exitCode' | 'lines'>;

/** Dependencies of commands that reach nothing but what is given. */
export const commandDependencies = (deps: Partial<CliDependencies>): CliDependencies => {
  const unexpected = (): Promise<never> => Promise.reject(new Error('another command was run'));
  return {
    databaseLedger: { list: unexpected },
    reconcile: unexpected,
    provision: unexpected,
    adopt: unexpected,
    retire: unexpected,
    rotateCredentials: unexpected,
    listServers: unexpected,
    changeServer: unexpected,
    checkServer: unexpected,
    verifyAudit: unexpected,
    createAdministrator: unexpected,
    grantOperatorToken: unexpected,
    openMigrate: unexpected,
    ...deps,
  };
};

/** Runs a command line that reaches nothing but what is given. */
export const runCommand = async (
  argv: readonly string[],
  deps: Partial<CliDependencies>,
): Promise<Outcome> => {
  const { exitCode, lines } = await runCommandLine(argv, { open: async () => commandDependencies(deps) });
  return { exitCode, lines };
};
