import type { ExitCode } from '../../../presentation/cli/command-context.ts';
import { runCli, type CliDependencies } from '../../../presentation/cli/run-cli.ts';

export interface Outcome {
  readonly exitCode: ExitCode;
  readonly lines: readonly string[];
}

/** Runs a command line that reaches nothing but what is given. */
export const runCommand = async (
  argv: readonly string[],
  deps: Partial<CliDependencies>,
): Promise<Outcome> => {
  const lines: string[] = [];
  const unexpected = (): Promise<never> => Promise.reject(new Error('another command was run'));
  const exitCode = await runCli(argv, {
    maxOrganizationIdLength: 20,
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
    // No command on migrations is run, so nothing of them is asked for.
    migrate: {} as CliDependencies['migrate'],
    print: (line) => void lines.push(line),
    ...deps,
  });
  return { exitCode, lines };
};
