import { ContainerModule } from 'inversify';
import { OrganizationLogins } from '../provisioning/organization-logins.ts';
import { Provisioner } from '../provisioning/provisioner.ts';
import { CredentialRotation } from '../provisioning/credential-rotation.ts';
import { Custodian } from '../provisioning/custodian.ts';
import { Reconciler } from '../provisioning/reconciler.ts';
import { SpareKeeper } from '../provisioning/spare-keeper.ts';
import { ResultsServer } from '../provisioning/results-server.ts';
import { ResultsTemplate } from '../provisioning/results-template.ts';
import { TOKENS } from './tokens.ts';

export const provisioningModule = new ContainerModule(({ bind }) => {
  bind(TOKENS.organizationLogins)
    .toResolvedValue(
      ({ database: { roles, resultsTemplate } }) =>
        roles === null ? null : new OrganizationLogins(roles.secret, roles.otherSecret, resultsTemplate),
      [TOKENS.config],
    )
    .inSingletonScope();
  bind(TOKENS.resultsServer)
    .toResolvedValue(
      (admin, logins) => new ResultsServer(admin, logins),
      [TOKENS.adminSql, TOKENS.organizationLogins],
    )
    .inSingletonScope();
  bind(TOKENS.resultsTemplate)
    .toResolvedValue(
      (config, server, logins, connector, ledger, logger, migrations) =>
        new ResultsTemplate({
          server,
          urls: config.database.resultsTemplate,
          migrations,
          logins,
          connect: (databaseName) => connector.toResultsServer(databaseName),
          ledger,
          logger,
        }),
      [
        TOKENS.config,
        TOKENS.resultsServer,
        TOKENS.organizationLogins,
        TOKENS.connector,
        TOKENS.spareLedger,
        TOKENS.logger,
        TOKENS.resultsMigrations,
      ],
    )
    .inSingletonScope();
  bind(TOKENS.provisioner)
    .toResolvedValue(
      (config, ledger, server, template, logger, metrics, spareKeeper, schemaGuard) =>
        new Provisioner({
          ledger,
          server,
          template,
          urls: config.database.resultsTemplate,
          logger,
          admit: (organizationId, schemaVersion) => schemaGuard.admit(organizationId, schemaVersion),
          onStep: (step, organizationId) =>
            logger.debug({ step, org_id: organizationId }, 'provisioning step done'),
          onProvisioned: (path, seconds) => {
            metrics.observeProvisioning(path, seconds);
            spareKeeper.kick();
          },
        }),
      [
        TOKENS.config,
        TOKENS.databaseLedger,
        TOKENS.resultsServer,
        TOKENS.resultsTemplate,
        TOKENS.logger,
        TOKENS.metrics,
        TOKENS.spareKeeper,
        TOKENS.schemaGuard,
      ],
    )
    .inSingletonScope();
  bind(TOKENS.spareKeeper)
    .toResolvedValue(
      ({ database }, ledger, server, template, connector, logger) =>
        new SpareKeeper({
          ledger,
          server,
          template,
          urls: database.resultsTemplate,
          demand: database.spares,
          connect: (databaseName) => connector.toResultsServer(databaseName),
          logger,
        }),
      [
        TOKENS.config,
        TOKENS.spareLedger,
        TOKENS.resultsServer,
        TOKENS.resultsTemplate,
        TOKENS.connector,
        TOKENS.logger,
      ],
    )
    .inSingletonScope();
  bind(TOKENS.reconciler)
    .toResolvedValue(
      ({ database }, ledger, spares, provisioner, server, metadata, logger) =>
        new Reconciler({
          ledger,
          spares,
          provisioner,
          server,
          urls: database.resultsTemplate,
          metadata,
          logger,
        }),
      [
        TOKENS.config,
        TOKENS.databaseLedger,
        TOKENS.spareLedger,
        TOKENS.provisioner,
        TOKENS.resultsServer,
        TOKENS.metadataDatabase,
        TOKENS.logger,
      ],
    )
    .inSingletonScope();
  bind(TOKENS.custodian)
    .toResolvedValue(
      ({ database }, ledger, server, template, metadata, migrations) =>
        new Custodian({ ledger, server, template, urls: database.resultsTemplate, metadata, migrations }),
      [
        TOKENS.config,
        TOKENS.databaseLedger,
        TOKENS.resultsServer,
        TOKENS.resultsTemplate,
        TOKENS.metadataDatabase,
        TOKENS.resultsMigrations,
      ],
    )
    .inSingletonScope();
  bind(TOKENS.credentialRotation)
    .toResolvedValue(
      (ledger, spares, server, logins, metadata) =>
        new CredentialRotation({ ledger, spares, server, logins, metadata }),
      [
        TOKENS.databaseLedger,
        TOKENS.spareLedger,
        TOKENS.resultsServer,
        TOKENS.organizationLogins,
        TOKENS.metadataDatabase,
      ],
    )
    .inSingletonScope();
});
