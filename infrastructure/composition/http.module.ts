import { ContainerModule } from 'inversify';
import { v7 as uuidv7 } from 'uuid';
import { Argon2Passwords } from '../../adapters/argon2/argon2-passwords.ts';
import { canonicalFingerprint } from '../../adapters/canonicalize/canonical-fingerprint.ts';
import { RemoteKeySet } from '../../adapters/jsonwebtoken/remote-key-set.ts';
import { JsonwebtokenIssuer } from '../../adapters/jsonwebtoken/token-issuer.ts';
import { JsonwebtokenVerifier } from '../../adapters/jsonwebtoken/token-verifier.ts';
import { VerificationKeys } from '../../adapters/jsonwebtoken/verification-keys.ts';
import { runWithRequestContext } from '../../adapters/pino/request-context.ts';
import { RecordDeniedAccess } from '../../application/audit/record-denied-access.ts';
import { GetDatabase } from '../../application/databases/get-database.ts';
import { ListDatabases } from '../../application/databases/list-databases.ts';
import { ProvisionDatabase } from '../../application/databases/provision-database.ts';
import { EnsureAdministrator } from '../../application/identity/ensure-administrator.ts';
import { IssueToken } from '../../application/identity/issue-token.ts';
import { SubmitJob } from '../../application/jobs/submit-job.ts';
import { CreateOrganization } from '../../application/organizations/create-organization.ts';
import { GetOrganization } from '../../application/organizations/get-organization.ts';
import { GetSettings } from '../../application/organizations/get-settings.ts';
import { RenameOrganization } from '../../application/organizations/rename-organization.ts';
import { ReplaceSettings } from '../../application/organizations/replace-settings.ts';
import { TOKENS } from './tokens.ts';

export const httpModule = new ContainerModule(({ bind }) => {
  bind(TOKENS.tokenIssuer)
    .toResolvedValue(({ tokens }) => new JsonwebtokenIssuer(tokens), [TOKENS.config])
    .inSingletonScope();
  bind(TOKENS.tokenVerifier)
    .toResolvedValue(
      ({ tokens, database }, logger) => {
        const remoteKeys = tokens.jwksUrl === null ? null : new RemoteKeySet({ url: tokens.jwksUrl, logger });
        return new JsonwebtokenVerifier({
          ...tokens,
          keys: new VerificationKeys({ ...tokens, remoteKeys }),
          maxOrganizationIdLength: database.resultsTemplate.maxOrganizationIdLength,
        });
      },
      [TOKENS.config, TOKENS.logger],
    )
    .inSingletonScope();
  bind(TOKENS.ensureAdministrator)
    .toResolvedValue(
      (metadata) => new EnsureAdministrator(metadata, new Argon2Passwords()),
      [TOKENS.metadataDatabase],
    )
    .inSingletonScope();
  bind(TOKENS.httpDependencies)
    .toResolvedValue(
      (config, metadata, ledger, databases, tokenIssuer, tokenVerifier, logger, metrics, stopping, fleet) => {
        const { maxOrganizationIdLength } = config.database.resultsTemplate;
        return {
          createOrganization: new CreateOrganization(metadata),
          renameOrganization: new RenameOrganization(metadata),
          getOrganization: new GetOrganization(metadata, ledger),
          getSettings: new GetSettings(metadata),
          replaceSettings: new ReplaceSettings(metadata),
          recordDeniedAccess: new RecordDeniedAccess(metadata, logger),
          issueToken: new IssueToken(metadata, new Argon2Passwords(), tokenIssuer),
          submitJob: new SubmitJob(canonicalFingerprint, uuidv7),
          provisionDatabase: new ProvisionDatabase(metadata, databases, ledger),
          listDatabases: new ListDatabases(ledger, databases),
          getDatabase: new GetDatabase(ledger, databases),
          metadata,
          fleet,
          databases,
          tokenVerifier,
          logger,
          runWithRequestContext,
          httpMetrics: metrics,
          renderMetrics: () => metrics.renderMetrics(),
          options: {
            maxOrganizationIdLength,
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
        TOKENS.guardedDatabases,
        TOKENS.tokenIssuer,
        TOKENS.tokenVerifier,
        TOKENS.logger,
        TOKENS.metrics,
        TOKENS.stopping,
        TOKENS.fleetLedger,
      ],
    )
    .inSingletonScope();
});
