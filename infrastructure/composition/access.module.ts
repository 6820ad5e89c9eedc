import { ContainerModule } from 'inversify';
import { Argon2Passwords } from '../../adapters/argon2/argon2-passwords.ts';
import { RemoteKeySet } from '../../adapters/jsonwebtoken/remote-key-set.ts';
import { JsonwebtokenIssuer } from '../../adapters/jsonwebtoken/token-issuer.ts';
import { JsonwebtokenVerifier } from '../../adapters/jsonwebtoken/token-verifier.ts';
import { VerificationKeys } from '../../adapters/jsonwebtoken/verification-keys.ts';
import { KnexAccountRepository } from '../../adapters/knex/metadata/knex-account-repository.ts';
import { CurrentAccounts } from '../../application/identity/current-accounts.ts';
import { EnsureAdministrator } from '../../application/identity/ensure-administrator.ts';
import { VerifyToken } from '../../application/identity/verify-token.ts';
import { accessUseCases } from './access-use-cases.ts';
import { TOKENS } from './tokens.ts';

export const accessModule = new ContainerModule(({ bind }) => {
  bind(TOKENS.tokenIssuer)
    .toResolvedValue(({ tokens }) => new JsonwebtokenIssuer(tokens), [TOKENS.config])
    .inSingletonScope();
  bind(TOKENS.tokenReader)
    .toResolvedValue(
      ({ tokens, database }, logger) => {
        const remoteKeys = tokens.jwksUrl === null ? null : new RemoteKeySet({ url: tokens.jwksUrl, logger });
        return new JsonwebtokenVerifier({
          ...tokens,
          keys: new VerificationKeys({ ...tokens, remoteKeys }),
          maxOrganizationIdLength: database.maxOrganizationIdLength,
        });
      },
      [TOKENS.config, TOKENS.logger],
    )
    .inSingletonScope();
  bind(TOKENS.tokenVerifier)
    .toResolvedValue(
      ({ tokens }, reader, database, feed) =>
        new VerifyToken(
          reader,
          new CurrentAccounts(new KnexAccountRepository(database, tokens.accessTtlSeconds), feed),
        ),
      [TOKENS.config, TOKENS.tokenReader, TOKENS.metadataSql, TOKENS.changeFeed],
    )
    .inSingletonScope();
  bind(TOKENS.ensureAdministrator)
    .toResolvedValue(
      (metadata) => new EnsureAdministrator(metadata, new Argon2Passwords()),
      [TOKENS.metadataDatabase],
    )
    .inSingletonScope();
  bind(TOKENS.accessUseCases)
    .toResolvedValue(accessUseCases, [
      TOKENS.config,
      TOKENS.metadataDatabase,
      TOKENS.metadataSql,
      TOKENS.tokenIssuer,
    ])
    .inSingletonScope();
});
