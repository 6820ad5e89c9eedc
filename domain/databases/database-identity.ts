import type { OrganizationId } from '../organizations/organization-id.ts';

/** Whose a database is. The generation tells a restored or re-made database from its predecessor. */
export interface DatabaseIdentity {
  readonly deploymentId: string;
  readonly organizationId: OrganizationId;
  readonly stamp: string;
  readonly generation: number;
}

/** What the comment of a database says of it. */
export interface DatabaseMark {
  /** Null: written by a release whose stamps did not name the deployment. */
  readonly deploymentId: string | null;
  /** Null: a spare or a template. As it stands there: not a checked id. */
  readonly organizationId: string | null;
}

/**
 * The stamp as it stands in the database's comment. A comment needs no extra table, no superuser (a custom setting
 * does), survives a rename, is not copied to clones, and only the owner can change it.
 */
export const formatIdentity = (identity: DatabaseIdentity): string => {
  const { organizationId, stamp, generation } = identity;
  return `${markOf(identity.deploymentId)}:${organizationId}:${stamp}:${generation}`;
};

/**
 * The comment of a spare or a template. It begins otherwise than the stamps of earlier releases: their reconciler would
 * put aside what begins like them and says something else.
 */
export const markOf = (deploymentId: string): string => `mad2:${deploymentId}`;

/** Whether a database's comment is this stamp, also in the form that earlier releases gave it. */
export const isIdentity = (comment: string | null | undefined, identity: DatabaseIdentity): boolean =>
  comment === formatIdentity(identity) || comment === formatEarlier(identity);

/** Whether it is this stamp, but does not name the deployment. */
export const isEarlierIdentity = (comment: string | null, identity: DatabaseIdentity): boolean =>
  comment === formatEarlier(identity);

/** Null: nothing that any deployment of this service wrote. */
export const readMark = (comment: string | null | undefined): DatabaseMark | null => {
  const [, deploymentId = null, organizationId = null, earlierId = null] = MARK.exec(comment ?? '') ?? [];
  if (deploymentId === null && earlierId === null) return null;
  return { deploymentId, organizationId: organizationId ?? earlierId };
};

const formatEarlier = ({ organizationId, stamp, generation }: DatabaseIdentity): string =>
  `mad:${organizationId}:${stamp}:${generation}`;

const MARK = /^(?:mad2:([0-9a-f-]{36})(?::([^:]+):[0-9a-f-]{36}:\d+)?|mad:([^:]+):[0-9a-f-]{36}:\d+)$/;

/** The stamp in a database's comment; null when this service did not write it. */
export const stampIn = (comment: string | null): string | null =>
  /^mad(?:2:[0-9a-f-]{36})?:[^:]+:([0-9a-f-]{36}):\d+$/.exec(comment ?? '')?.[1] ?? null;
