import { ValidationError } from '../validation-error.ts';

declare const brand: unique symbol;

/** A checked organization id: safe in a database name, a log line and a path. `parseOrganizationId` is its only maker. */
export type OrganizationId = string & { readonly [brand]: 'OrganizationId' };

/** Lower-case letters, digits, `-` and `_`; begins and ends with a letter or digit. Also used by OpenAPI. */
export const ORGANIZATION_ID_PATTERN = /^[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?$/;

/** Names the results database that carries the newest schema and belongs to nobody. */
const RESERVED: ReadonlySet<string> = new Set(['template']);

/** The rule that `value` breaks, or null. `maxLength` is in characters, which are bytes in this alphabet. */
export const organizationIdProblem = (value: string, maxLength: number): string | null => {
  if (value.length > maxLength) return `must have at most ${maxLength} characters`;
  if (!ORGANIZATION_ID_PATTERN.test(value)) {
    return 'must consist of lower-case letters, digits, "-" and "_", and begin and end with a letter or digit';
  }
  return RESERVED.has(value) ? 'is reserved' : null;
};

/**
 * Checks an organization id.
 *
 * @param maxLength what the name template of the results databases leaves within PostgreSQL's 63 bytes
 * @throws {ValidationError} naming `path`, when the id breaks a rule
 */
export const parseOrganizationId = (value: string, maxLength: number, path = 'org_id'): OrganizationId => {
  const problem = organizationIdProblem(value, maxLength);
  if (problem !== null) throw new ValidationError([{ path, message: problem }]);
  // The check above is the proof.
  return value as OrganizationId;
};
