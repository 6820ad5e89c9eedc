import { ContainerModule } from 'inversify';
import { canonicalFingerprint } from '../../adapters/canonicalize/canonical-fingerprint.ts';
import { runWithRequestContext } from '../../adapters/pino/request-context.ts';
import { newJobId } from '../../adapters/uuid/new-job-id.ts';
import { RecordDeniedAccess } from '../../application/audit/record-denied-access.ts';
import { GetDatabase } from '../../application/databases/get-database.ts';
import { ListDatabases } from '../../application/databases/list-databases.ts';
import { ProvisionDatabase } from '../../application/databases/provision-database.ts';
import { SubmitJob } from '../../application/jobs/submit-job.ts';
import { CreateOrganization } from '../../application/organizations/create-organization.ts';
import { GetOrganization } from '../../application/organizations/get-organization.ts';
import { GetSettings } from '../../application/organizations/get-settings.ts';
import { PatchSettings } from '../../application/organizations/patch-settings.ts';
import { RenameOrganization } from '../../application/organizations/rename-organization.ts';
import { ReplaceSettings } from '../../application/organizations/replace-settings.ts';
import { SuspendOrganization } from '../../application/organizations/suspend-organization.ts';
import { logsOperations } from './observed-databases.ts';
import { TOKENS } from './tokens.ts';

export const httpModule = new ContainerModule(({ bind }) => {
  bind(TOKENS.httpDependencies)
    .toResolvedValue(
      (
        config,
        metadata,
        ledger,
        databases,
        access,
        tokenVerifier,
        logger,
        metrics,
        stopping,
        policies,
        fleet,
        health,
      ) => {
        const { organizationPool, maxOrganizationIdLength } = config.database;
        return {
          createOrganization: new CreateOrganization(metadata),
          renameOrganization: new RenameOrganization(metadata),
          getOrganization: new GetOrganization(metadata, ledger),
          getSettings: new GetSettings(metadata),
          replaceSettings: new ReplaceSettings(metadata),
          patchSettings: new PatchSettings(metadata),
          suspendOrganization: new SuspendOrganization(metadata),
          recordDeniedAccess: new RecordDeniedAccess(metadata, logger),
          ...access,
          submitJob: new SubmitJob(canonicalFingerprint, newJobId),
          provisionDatabase: new ProvisionDatabase(metadata, databases, ledger),
          listDatabases: new ListDatabases(ledger, databases),
          getDatabase: new GetDatabase(ledger, databases),
          metadata,
          fleet,
          health,
          databases,
          policies,
          tokenVerifier,
          logger,
          runWithRequestContext: logsOperations(config) ? runWithRequestContext : (_context, run) => run(),
          httpMetrics: metrics,
          renderMetrics: () => metrics.renderMetrics(),
          options: {
            maxOrganizationIdLength,
            trustedProxies: config.http.trustedProxies,
            maxConnectionsPerOrganization: organizationPool.size + organizationPool.maxOverflow,
            readyStrict: config.http.readyStrict,
            hideOrganizationNames: config.environment === 'production',
            isStopping: () => stopping.hasBegun,
          },
        };
      },
      [
        TOKENS.config,
        TOKENS.metadataDatabase,
        TOKENS.databaseLedger,
        TOKENS.connectionManager,
        TOKENS.accessUseCases,
        TOKENS.tokenVerifier,
        TOKENS.logger,
        TOKENS.metrics,
        TOKENS.stopping,
        TOKENS.organizationPolicies,
        TOKENS.fleetLedger,
        TOKENS.databaseHealth,
      ],
    )
    .inSingletonScope();
});
