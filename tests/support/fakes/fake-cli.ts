import type { CliDependencies } from '../../../presentation/cli/run-cli.ts';
import { runCommandLine, type CommandOutcome } from './command-line.ts';

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
    collectFiles: unexpected,
    purgeFiles: unexpected,
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
