import { Container } from 'inversify';
import type { EffectiveSetting } from '../../application/ports/operators/effective-setting.ts';
import type { Config } from '../config/config.ts';
import { accessModule } from './access.module.ts';
import { adaptersModule } from './adapters.module.ts';
import { backgroundModule } from './background.module.ts';
import { processModule } from './process.module.ts';
import { auditModule } from './audit.module.ts';
import { changesModule } from './changes.module.ts';
import { databaseModule } from './database.module.ts';
import { filesModule } from './files.module.ts';
import { fleetModule } from './fleet.module.ts';
import { httpModule } from './http.module.ts';
import { operatorsModule } from './operators.module.ts';
import { provisioningModule } from './provisioning.module.ts';
import { TOKENS } from './tokens.ts';
import { useCasesModule } from './use-cases.module.ts';

/**
 * The whole service, wired. Nothing is opened before something is asked for.
 *
 * @param settings what operators may see of the configuration; nothing by default
 */
export const createContainer = (config: Config, settings: readonly EffectiveSetting[] = []): Container => {
  const container = new Container();
  container.bind(TOKENS.config).toConstantValue(config);
  container.bind(TOKENS.settings).toConstantValue(settings);
  container.load(
    adaptersModule,
    auditModule,
    changesModule,
    databaseModule,
    provisioningModule,
    fleetModule,
    operatorsModule,
    filesModule,
    accessModule,
    useCasesModule,
    httpModule,
    backgroundModule,
    processModule,
  );
  return container;
};
