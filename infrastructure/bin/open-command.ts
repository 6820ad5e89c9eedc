import { createPinoLogger } from '../../adapters/pino/pino-logger.ts';
import type { CliDependencies } from '../../presentation/cli/run-cli.ts';
import type { CommandEnds } from '../composition/cli-dependencies.ts';
import { createContainer } from '../composition/container.ts';
import { TOKENS } from '../composition/tokens.ts';
import { parseConfig } from '../config/config.ts';
import { readEnvironment } from '../config/read-environment.ts';
import { prepareLocalCommand } from '../local/local-command.ts';

export interface OpenedCommand {
  readonly dependencies: CliDependencies;
  close(): Promise<void>;
}

/** Opens what a command acts on: the service's parts, on the embedded server where there is no other. */
export const openCommand = async (ends: CommandEnds): Promise<OpenedCommand> => {
  const local = await prepareLocalCommand({ LOG_LEVEL: 'error', ...readEnvironment() });
  try {
    const config = parseConfig(local.environment);
    const container = createContainer(config);
    // Standard output is for results.
    const logger = createPinoLogger({ level: config.logLevel, destination: process.stderr });
    container.rebind(TOKENS.logger).toConstantValue(logger);
    return {
      dependencies: container.get(TOKENS.cliDependencies)(ends),
      close: async () => {
        await container.get(TOKENS.connectionManager).closeAll();
        await local.stop();
      },
    };
  } catch (error) {
    await local.stop();
    throw error;
  }
};
