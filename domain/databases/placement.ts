import type { DatabaseIdentity } from './database-identity.ts';

/** Where an organization's data is, and the identity that a connection has to find there. */
export interface Placement extends DatabaseIdentity {
  readonly databaseName: string;
}
