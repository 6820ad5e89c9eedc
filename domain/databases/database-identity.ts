import type { OrganizationId } from '../organizations/organization-id.ts';

/**
 * Whose a database is. The generation tells a restored or re-made database from its predecessor. Decision 0002;
 * Decision 0020.
 */
export interface DatabaseIdentity {
  readonly deploymentId: string;
  readonly organizationId: OrganizationId;
  readonly stamp: string;
  readonly generation: number;
}

/** What the comment of a database says of it. */
export interface DatabaseMark {
  /** Null: a release wrote it whose stamps did not name the deployment. */
  readonly deploymentId: string | null;
  /** As it stands in the comment, unchecked; null for a spare or a template. */
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
 * The comment of a spare or a template. It does not begin like the stamps of earlier releases: their reconciler would put
 * aside a database whose comment does, and is no stamp.
 */
export const markOf = (deploymentId: string): string => `mad2:${deploymentId}`;

/** Whether a database's comment is this stamp, also in the form that earlier releases gave it. */
export const isIdentity = (comment: string | null | undefined, identity: DatabaseIdentity): boolean =>
  comment === formatIdentity(identity) || comment === formatEarlier(identity);

/** Whether a database's comment is this stamp in the earlier form, which does not name the deployment. */
export const isEarlierIdentity = (comment: string | null, identity: DatabaseIdentity): boolean =>
  comment === formatEarlier(identity);

/** Reads a database's comment; null when no deployment of this service wrote it. */
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
