import type { AccountRepository } from '../../domain/identity/account.ts';
import type { RetireDatabase } from '../databases/retire.ts';
import type { ReconcileDatabases } from '../databases/reconcile.ts';
import type { DatabaseLedger } from './databases/database-ledger.ts';
import type { DatabaseServers } from './databases/database-server.ts';
import type { ServerInspection } from './databases/server-inspection.ts';
import type { ReleaseSchemas } from './databases/release-schemas.ts';
import type { MetadataDatabase } from './databases/metadata-database.ts';
import type { OrganizationDatabases } from './databases/organization-databases.ts';
import type { FileStore } from './files/file-store.ts';
import type { LoginAttempts } from './identity/login-attempts.ts';
import type { Passwords } from './identity/passwords.ts';
import type { RandomTokens } from './identity/random-tokens.ts';
import type { TokenIssuer, TokenReader } from './identity/tokens.ts';
import type { OperatorsLedger } from './operators/operators-ledger.ts';
import type { ChangeFeed } from './runtime/change-feed.ts';
import type { CanonicalJson } from './runtime/fingerprint.ts';
import type { UsageLedger } from './usage/usage-ledger.ts';
import type { WorkHints } from './work/work-hints.ts';
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
  readonly operatorsLedger: OperatorsLedger;
  readonly changeFeed: Pick<ChangeFeed, 'isBehind'>;
  readonly releaseSchemas: () => Promise<ReleaseSchemas>;
  readonly reconcileDatabases: ReconcileDatabases;
  readonly retireDatabase: RetireDatabase;
  readonly passwords: Passwords;
  readonly loginAttempts: LoginAttempts;
  readonly accessTokens: TokenIssuer;
  readonly refreshTokens: RandomTokens;
  /** Keys of service accounts. */
  readonly serviceKeys: RandomTokens;
  readonly tokenReader: TokenReader;
  /** Accounts as they are now: asked for every request. */
  readonly accounts: AccountRepository;
  readonly workHints: WorkHints;
  readonly usage: UsageLedger;
  readonly canonicalJson: CanonicalJson;
  readonly fileStore: FileStore;
  readonly policies: Pick<OrganizationPolicies, 'policyOf'>;
  /** The most bytes of one file, and of one organization's files together. */
  readonly maxFileBytes: number;
  readonly maxFilesBytes: number;
  /** Makes UUIDs. */
  readonly newUploadId: () => string;
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
