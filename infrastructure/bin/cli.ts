import { runCli, type ExitCode } from '../../presentation/cli/run-cli.ts';
import { createContainer } from '../composition/container.ts';
import { TOKENS } from '../composition/tokens.ts';
import { parseConfig, readEnvironment } from '../config/config.ts';
import { prepareLocalCommand } from '../config/local-command.ts';

const main = async (): Promise<ExitCode> => {
  const local = await prepareLocalCommand({ LOG_LEVEL: 'error', ...readEnvironment() });
  try {
    const config = parseConfig(local.environment);
    const container = createContainer(config);
    const manager = container.get(TOKENS.connectionManager);
    try {
      return await runCli(process.argv.slice(2), {
        maxOrganizationIdLength: config.database.resultsTemplate.maxOrganizationIdLength,
        reconcile: (options) => container.get(TOKENS.reconciler).reconcile(options),
        provision: (organizationId) => manager.provision(organizationId),
        adopt: (organizationId, from, takeOver) =>
          container.get(TOKENS.custodian).adopt(organizationId, from, takeOver),
        retire: (organizationId) => container.get(TOKENS.custodian).retire(organizationId),
        print: (line) => process.stdout.write(`${line}\n`),
      });
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
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  },
);
