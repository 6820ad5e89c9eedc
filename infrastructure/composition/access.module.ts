import { ContainerModule } from 'inversify';
import { Argon2Passwords } from '../../adapters/argon2/argon2-passwords.ts';
import { RemoteKeySet } from '../../adapters/jsonwebtoken/remote-key-set.ts';
import { JsonwebtokenIssuer } from '../../adapters/jsonwebtoken/token-issuer.ts';
import { JsonwebtokenVerifier } from '../../adapters/jsonwebtoken/token-verifier.ts';
import { VerificationKeys } from '../../adapters/jsonwebtoken/verification-keys.ts';
import { KnexAccountRepository } from '../../adapters/knex/metadata/knex-account-repository.ts';
import { networkOf } from '../../adapters/ipaddr/network-of.ts';
import { SharedLoginAttempts } from '../../adapters/rate-limiter-flexible/shared-login-attempts.ts';
import { CurrentAccounts } from '../../application/identity/current-accounts.ts';
import { bindSingleton } from './singleton.ts';
import { TOKENS } from './tokens.ts';

/** The ports through which people log in and tokens are made and read. */
export const accessModule = new ContainerModule(({ bind }) => {
  bindSingleton(bind, TOKENS.passwords, {}, () => new Argon2Passwords());
  bindSingleton(
    bind,
    TOKENS.loginAttempts,
    { config: TOKENS.config, database: TOKENS.metadataSql },
    ({ config, database }) => new SharedLoginAttempts(database, { ...config.loginAttempts, networkOf }),
  );
  bindSingleton(
    bind,
    TOKENS.tokenIssuer,
    { config: TOKENS.config },
    ({ config }) => new JsonwebtokenIssuer(config.tokens),
  );
  bindSingleton(
    bind,
    TOKENS.tokenReader,
    { config: TOKENS.config, logger: TOKENS.logger },
    ({ config: { tokens, database }, logger }) => {
      const remoteKeys = tokens.jwksUrl === null ? null : new RemoteKeySet({ url: tokens.jwksUrl, logger });
      return new JsonwebtokenVerifier({
        ...tokens,
        keys: new VerificationKeys({ ...tokens, remoteKeys }),
        maxOrganizationIdLength: database.maxOrganizationIdLength,
      });
    },
  );
  bindSingleton(
    bind,
    TOKENS.accounts,
    { config: TOKENS.config, database: TOKENS.metadataSql, feed: TOKENS.changeFeed },
    ({ config, database, feed }) =>
      new CurrentAccounts(new KnexAccountRepository(database, config.tokens.accessTtlSeconds), feed),
  );
});
