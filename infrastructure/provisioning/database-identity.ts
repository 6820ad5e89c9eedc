import type { OrganizationId } from '../../domain/organizations/organization-id.ts';

/** Whose a database is. The generation tells a restored or re-made database from its predecessor. */
export interface DatabaseIdentity {
  readonly organizationId: OrganizationId;
  readonly stamp: string;
  readonly generation: number;
}

/**
 * The stamp as it stands in the database's comment. A comment needs no extra table, no superuser (a custom setting
 * does), survives a rename, is not copied to clones, and only the owner can change it.
 */
export const formatIdentity = ({ organizationId, stamp, generation }: DatabaseIdentity): string =>
  `mad:${organizationId}:${stamp}:${generation}`;

/** Whether a database's comment says that this service made it, for whomever. */
export const isOurIdentity = (comment: string | null): boolean => comment?.startsWith('mad:') === true;

/** The stamp in a database's comment; null when this service did not write it. */
export const stampIn = (comment: string | null): string | null =>
  /^mad:[^:]+:([0-9a-f-]{36}):\d+$/.exec(comment ?? '')?.[1] ?? null;

/** The stamp of the database that a connection is in, and the one row that it goes with. */
export const IDENTITY = `(
  select description from pg_shdescription where classoid = 'pg_database'::regclass and objoid = pg_database.oid
)`;
export const OF_THIS_DATABASE = 'from pg_database where datname = current_database()';

/**
 * Reads the stamp of the database that a connection is in; one round trip. Spelled out, as every new connection pays
 * for it: `shobj_description` is a function that the server plans each time.
 */
export const READ_IDENTITY = `select ${IDENTITY} as identity ${OF_THIS_DATABASE}`;
