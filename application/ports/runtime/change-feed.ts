import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';

/** What may have changed in the metadata database; the new state has to be read there. */
export type Change =
  /** Its status, e.g. it was suspended; or it is gone. */
  | { readonly kind: 'organization'; readonly organizationId: OrganizationId }
  | { readonly kind: 'settings'; readonly organizationId: OrganizationId }
  /** Its database is another one now, on another server, or being put aside. */
  | { readonly kind: 'placement'; readonly organizationId: OrganizationId }
  /** A user's roles within an organization, or that they belong to it at all. */
  | { readonly kind: 'member'; readonly organizationId: OrganizationId; readonly userId: string }
  /** Whether the user may log in at all, or is a platform administrator. */
  | { readonly kind: 'user'; readonly userId: string };

/**
 * Something that keeps metadata in memory. What it was reading while it was told of a change may be the old state, and
 * must not be kept. A rejection makes the feed begin again, with `reset`.
 */
export interface ChangeSubscriber {
  /** Anything may have changed: forget, or read again, all of it. Called first of all. */
  reset(): void | Promise<void>;
  /** In no particular order, each kind and subject once. Never called while an earlier call is under way. */
  changed(changes: readonly Change[]): void | Promise<void>;
}

/** Tells of changes of the metadata database, whichever process made them. */
export interface ChangeFeed {
  /** Returns what ends the subscription. */
  subscribe(subscriber: ChangeSubscriber): () => void;
  /**
   * Whether subscribers have been told of all that was committed until a second ago. False before the feed has begun,
   * and while the metadata database cannot be reached.
   */
  readonly isCurrent: boolean;
}
