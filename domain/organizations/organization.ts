import type { PlacementPin } from '../databases/server.ts';
import type { OrganizationId } from './organization-id.ts';

export const ORGANIZATION_STATUSES = ['active', 'suspended'] as const;
/** The results of a suspended organization are kept and not served. Decision 0027. */
export type OrganizationStatus = (typeof ORGANIZATION_STATUSES)[number];

/** A customer of the service. Owns one results database, made at first use. */
export interface Organization {
  readonly id: OrganizationId;
  readonly name: string;
  readonly status: OrganizationStatus;
  /** Where its database has to be. It says nothing of where a database is that was made before. */
  readonly placement: PlacementPin;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** What an organization chose for itself; an object of JSON values. */
export type OrganizationSettings = Readonly<Record<string, unknown>>;

export interface VersionedSettings {
  readonly settings: OrganizationSettings;
  /** Rises with every write; 0 when nothing was ever set. */
  readonly version: number;
}
