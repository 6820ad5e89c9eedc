import { ContainerModule } from 'inversify';
import { OrganizationLogins } from '../servers/organization-logins.ts';
import { Provisioner } from '../provisioning/provisioner.ts';
import { CredentialRotation } from '../provisioning/credential-rotation.ts';
import { Custodian } from '../provisioning/custodian.ts';
import { Reconciler } from '../provisioning/reconciler.ts';
import { SpareKeeper } from '../provisioning/spare-keeper.ts';
import { ResultsServer } from '../servers/results-server.ts';
import { ResultsTemplate } from '../servers/results-template.ts';
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
      (config, server, logins, connector, ledger, logger, deployment, migrations) =>
        new ResultsTemplate({
          server,
          urls: config.database.resultsTemplate,
          migrations,
          logins,
          connect: (databaseName) => connector.toResultsServer(databaseName),
          ledger,
          deployment,
          logger,
        }),
      [
        TOKENS.config,
        TOKENS.resultsServer,
        TOKENS.organizationLogins,
        TOKENS.connector,
        TOKENS.spareLedger,
        TOKENS.logger,
        TOKENS.deployment,
        TOKENS.resultsMigrations,
      ],
    )
    .inSingletonScope();
  bind(TOKENS.provisioner)
    .toResolvedValue(
      (config, ledger, server, template, deployment, logger, metrics, spareKeeper, schemaGuard) =>
        new Provisioner({
          ledger,
          server,
          template,
          urls: config.database.resultsTemplate,
          deployment,
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
        TOKENS.deployment,
        TOKENS.logger,
        TOKENS.metrics,
        TOKENS.spareKeeper,
        TOKENS.schemaGuard,
      ],
    )
    .inSingletonScope();
  bind(TOKENS.spareKeeper)
    .toResolvedValue(
      ({ database }, ledger, server, template, connector, deployment, logger) =>
        new SpareKeeper({
          ledger,
          server,
          template,
          urls: database.resultsTemplate,
          demand: database.spares,
          deployment,
          connect: (databaseName) => connector.toResultsServer(databaseName),
          logger,
        }),
      [
        TOKENS.config,
        TOKENS.spareLedger,
        TOKENS.resultsServer,
        TOKENS.resultsTemplate,
        TOKENS.connector,
        TOKENS.deployment,
        TOKENS.logger,
      ],
    )
    .inSingletonScope();
  bind(TOKENS.reconciler)
    .toResolvedValue(
      (
        { database },
        ledger,
        spares,
        provisioner,
        custodian,
        template,
        server,
        metadata,
        deployment,
        logger,
      ) =>
        new Reconciler({
          ledger,
          spares,
          provisioner,
          custodian,
          template,
          server,
          urls: database.resultsTemplate,
          metadata,
          deployment,
          logger,
        }),
      [
        TOKENS.config,
        TOKENS.databaseLedger,
        TOKENS.spareLedger,
        TOKENS.provisioner,
        TOKENS.custodian,
        TOKENS.resultsTemplate,
        TOKENS.resultsServer,
        TOKENS.metadataDatabase,
        TOKENS.deployment,
        TOKENS.logger,
      ],
    )
    .inSingletonScope();
  bind(TOKENS.custodian)
    .toResolvedValue(
      ({ database }, ledger, server, template, deployment, migrations) =>
        new Custodian({
          ledger,
          server,
          template,
          urls: database.resultsTemplate,
          deployment,
          metadataDatabaseName: database.metadataUrl.database,
          migrations,
        }),
      [
        TOKENS.config,
        TOKENS.databaseLedger,
        TOKENS.resultsServer,
        TOKENS.resultsTemplate,
        TOKENS.deployment,
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
