import { ContainerModule } from 'inversify';
import { v4 as uuidv4 } from 'uuid';
import { canonicalJson } from '../../adapters/canonicalize/canonical-fingerprint.ts';
import { randomRefreshTokens, randomServiceKeys } from '../../adapters/node-crypto/random-tokens.ts';
import { newJobId } from '../../adapters/uuid/new-job-id.ts';
import { createUseCases } from '../../application/use-cases.ts';
import { PgServerInspection } from '../servers/server-inspection.ts';
import { bindSingleton } from './singleton.ts';
import { TOKENS } from './tokens.ts';

export const useCasesModule = new ContainerModule(({ bind }) => {
  bindSingleton(
    bind,
    TOKENS.useCases,
    {
      config: TOKENS.config,
      metadata: TOKENS.metadataDatabase,
      ledger: TOKENS.databaseLedger,
      databases: TOKENS.connectionManager,
      servers: TOKENS.servers,
      operatorsLedger: TOKENS.operatorsLedger,
      reconcileDatabases: TOKENS.reconcileDatabases,
      retireDatabase: TOKENS.retireDatabase,
      changeFeed: TOKENS.changeFeed,
      releaseSchemas: TOKENS.releaseSchemas,
      passwords: TOKENS.passwords,
      loginAttempts: TOKENS.loginAttempts,
      accessTokens: TOKENS.tokenIssuer,
      tokenReader: TOKENS.tokenReader,
      accounts: TOKENS.accounts,
      fileStore: TOKENS.fileStore,
      workHints: TOKENS.workHints,
      usage: TOKENS.usageLedger,
      policies: TOKENS.organizationPolicies,
      logger: TOKENS.logger,
    },
    ({ config, ...ports }) =>
      createUseCases({
        ...ports,
        serverInspection: new PgServerInspection(ports.servers),
        refreshTokens: randomRefreshTokens,
        serviceKeys: randomServiceKeys,
        sessionLifetimeSeconds: config.tokens.sessionTtlSeconds,
        canonicalJson,
        newJobId,
        newUploadId: uuidv4,
        maxFileBytes: config.files.maxFileBytes,
        maxFilesBytes: config.files.organizationBytes,
        newSessionId: uuidv4,
        now: Date.now,
      }),
  );
});
