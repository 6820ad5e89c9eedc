import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';

/** Something that may have changed in the metadata database. It holds no new state: the subscriber reads that there. */
export type Change =
  /** The organization's status changed, or the organization was deleted. */
  | { readonly kind: 'organization'; readonly organizationId: OrganizationId }
  | { readonly kind: 'settings'; readonly organizationId: OrganizationId }
  /** The organization has another database, or its database moved to another server or is being retired. */
  | { readonly kind: 'placement'; readonly organizationId: OrganizationId }
  /** The user's roles in the organization or the membership itself changed. */
  | { readonly kind: 'member'; readonly organizationId: OrganizationId; readonly userId: string }
  /** The user was disabled or enabled, or became or ceased to be a platform administrator. */
  | { readonly kind: 'user'; readonly userId: string };

/**
 * A cache of metadata. A read that was running when a change is reported may return the old state, so its result must
 * not be cached. When a call rejects, the feed reconnects and calls `reset`.
 */
export interface ChangeSubscriber {
  /** Anything may have changed: drop or reload the whole cache. Called before the first `changed`. */
  reset(): void | Promise<void>;
  /** Gets each changed subject once, in no particular order. The feed never makes two calls at the same time. */
  changed(changes: readonly Change[]): void | Promise<void>;
}

/** Reports changes of the metadata database by all processes. */
export interface ChangeFeed {
  /** @returns a function that ends the subscription */
  subscribe(subscriber: ChangeSubscriber): () => void;
  /**
   * Whether the subscribers know all changes that were committed up to one second ago. False before the feed has
   * started, and while the metadata database is unreachable.
   */
  readonly isCurrent: boolean;
  /**
   * Whether the subscribers were or are more than one second behind, in the present look at the changes or in the one
   * before: for people and monitors, as `isCurrent` may change several times a second while answers come late.
   */
  readonly isBehind: boolean;
}
