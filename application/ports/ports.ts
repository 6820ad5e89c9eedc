import type { AccountRepository } from '../../domain/identity/account.ts';
import type { DatabaseLedger } from './databases/database-ledger.ts';
import type { DatabaseServers } from './databases/database-server.ts';
import type { ServerInspection } from './databases/server-inspection.ts';
import type { MetadataDatabase } from './databases/metadata-database.ts';
import type { OrganizationDatabases } from './databases/organization-databases.ts';
import type { LoginAttempts } from './identity/login-attempts.ts';
import type { Passwords } from './identity/passwords.ts';
import type { RefreshTokens } from './identity/refresh-tokens.ts';
import type { TokenIssuer, TokenReader } from './identity/tokens.ts';
import type { CanonicalJson } from './runtime/fingerprint.ts';
import type { Logger } from './runtime/logger.ts';
import type { OrganizationPolicies } from './runtime/organization-policies.ts';

/** All that the use cases reach the outside through. Each use case names those that it needs. */
export interface Ports {
  readonly metadata: MetadataDatabase;
  readonly ledger: DatabaseLedger;
  readonly databases: OrganizationDatabases;
  /** Those of the configuration. */
  readonly servers: DatabaseServers;
  readonly serverInspection: ServerInspection;
  readonly passwords: Passwords;
  readonly loginAttempts: LoginAttempts;
  readonly accessTokens: TokenIssuer;
  readonly refreshTokens: RefreshTokens;
  readonly tokenReader: TokenReader;
  /** Accounts as they are now: asked for every request. */
  readonly accounts: AccountRepository;
  readonly policies: Pick<OrganizationPolicies, 'policyOf'>;
  readonly canonicalJson: CanonicalJson;
  /** Makes UUIDs that rise with time. */
  readonly newJobId: () => string;
  /** Makes UUIDs. */
  readonly newSessionId: () => string;
  /** How long refresh tokens prolong a login. */
  readonly sessionLifetimeSeconds: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly logger: Logger;
}
