import type { ServerId } from '../../../domain/databases/server.ts';

/** What the login of a server may do there. */
export interface LoginFacts {
  readonly isSuperuser: boolean;
  readonly mayCreateDatabases: boolean;
  readonly mayCreateRoles: boolean;
  /** Whether it may end the sessions of roles that it is no member of. */
  readonly maySignalBackends: boolean;
  /** Null: no limit. */
  readonly connectionLimit: number | null;
}

export interface ServerSettings {
  readonly maxConnections: number;
  /** Those of `maxConnections` that the login may not use. */
  readonly reservedConnections: number;
  readonly walLevel: string;
  readonly maxReplicationSlots: number;
  readonly usedReplicationSlots: number;
  readonly maxWalSenders: number;
  readonly usedWalSenders: number;
}

/** How long one clone of an empty database took. */
export interface TimedClone {
  readonly strategy: 'WAL_LOG' | 'FILE_COPY';
  readonly ms: number;
}

/** What was found out about a server. */
export interface ServerFacts {
  readonly login: LoginFacts;
  /** As the server says it, such as `18.1`. */
  readonly version: string;
  /** As PostgreSQL numbers versions: 180001. */
  readonly versionNumber: number;
  readonly settings: ServerSettings;
  /** Databases of this service that are not in UTF8. */
  readonly otherEncodings: readonly { readonly name: string; readonly encoding: string }[];
  /** Databases that everybody may connect to: an organization's role may, too. */
  readonly publicDatabases: readonly string[];
  /** Of the cluster; null when the login may not ask for it. */
  readonly systemIdentifier: string | null;
  /** Median of some round trips. */
  readonly latencyMs: number;
  /** Empty when the login may make no database. */
  readonly clones: readonly TimedClone[];
  /** Why a clone failed; null when none did. */
  readonly cloneError: string | null;
  /** Databases that a check or a build of a template left, or needs at this moment. */
  readonly temporaryDatabases: readonly string[];
}

export type Inspection =
  | { readonly login: string; readonly facts: ServerFacts }
  /** No session could be opened. */
  | {
      readonly login: string;
      readonly facts: null;
      readonly sqlState: string | null;
      readonly reason: string;
    };

export interface ServerInspection {
  /**
   * Looks at a server with the login of its URL. Makes small databases to see how long that takes, and drops them.
   *
   * @throws {DatabaseConnectionError} when the configuration does not name the server
   */
  inspect(serverId: ServerId): Promise<Inspection>;
}
