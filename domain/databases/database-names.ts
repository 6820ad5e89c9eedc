import {
  organizationIdProblem,
  parseOrganizationId,
  type OrganizationId,
} from '../organizations/organization-id.ts';

export const ORGANIZATION_PLACEHOLDER = '{org_id}';

/** PostgreSQL cuts longer names in silence (NAMEDATALEN - 1). */
export const MAX_NAME_BYTES = 63;

/** Databases of the server itself. No organization may be mapped to them. */
export const SERVER_DATABASES: readonly string[] = ['postgres', 'template0', 'template1'];

/** What the internal databases and roles are for: the first part of their names. Names that exist on servers stay. */
const INTERNAL_KINDS = ['template', 'build', 'spare', 'check', 'rows', 'orphan', 'retired', 'admin'] as const;
export type InternalKind = (typeof INTERNAL_KINDS)[number];

/** Shorter ids would turn reasonable organizations away. */
const MIN_ID_LENGTH = 20;

const INTERNAL_LABEL = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)+$/;

/**
 * The names of the results databases and roles on one server. All come from one pattern, `mad_results_{org_id}` by
 * default. An internal name holds a dot, which no organization id does: the two kinds never meet.
 */
export class DatabaseNames {
  readonly #prefix: string;
  readonly #suffix: string;
  /** In characters, which are bytes in the alphabet of the ids. */
  readonly maxOrganizationIdLength: number;

  /** @param pattern holds `{org_id}` once; `problem` says whether it can be used */
  constructor(pattern: string) {
    const [prefix = '', suffix = ''] = pattern.split(ORGANIZATION_PLACEHOLDER);
    this.#prefix = prefix;
    this.#suffix = suffix;
    this.maxOrganizationIdLength = MAX_NAME_BYTES - byteLength(prefix + suffix);
  }

  /** Why the pattern cannot name organizations' databases; null when it can. */
  get problem(): string | null {
    if (this.maxOrganizationIdLength < MIN_ID_LENGTH) {
      return `its database name leaves ${this.maxOrganizationIdLength} of ${MAX_NAME_BYTES} bytes for ${ORGANIZATION_PLACEHOLDER}, and at least ${MIN_ID_LENGTH} are needed`;
    }
    const taken = SERVER_DATABASES.find((name) => this.collidesWith(name));
    return taken === undefined ? null : `an organization's database could be the server's own "${taken}"`;
  }

  forOrganization(organizationId: OrganizationId): string {
    return `${this.#prefix}${organizationId}${this.#suffix}`;
  }

  /** The name of an organization's database: as recorded while there is one, whatever the pattern says by now. */
  ofRecord(
    organizationId: OrganizationId,
    record: { readonly databaseName: string; readonly stamp: string | null } | null,
  ): string {
    return record === null || record.stamp === null
      ? this.forOrganization(organizationId)
      : record.databaseName;
  }

  /** The inverse of `forOrganization`; null for any other database. */
  organizationIdOf(databaseName: string): OrganizationId | null {
    const value = this.#middleOf(databaseName);
    if (value === null || organizationIdProblem(value, this.maxOrganizationIdLength) !== null) return null;
    return parseOrganizationId(value, this.maxOrganizationIdLength);
  }

  /** Whether a database of this name could be taken for an organization's, the template, or an internal one. */
  collidesWith(databaseName: string): boolean {
    const value = this.#middleOf(databaseName);
    return (value !== null && /^[a-z0-9._-]+$/.test(value)) || this.#labelOf(databaseName) !== null;
  }

  template(hash: string): string {
    return this.#internal('template', hash);
  }

  /**
   * A template that is not whole yet.
   *
   * @param attempt a UUID, new for each attempt: two at once, of whichever process, do not share a database
   */
  build(hash: string, attempt: string): string {
    // As long as a template's name: a longer one would not fit beside the longest names that the pattern allows.
    return this.#internal('build', `${hash}-${digitsOf(attempt, 2)}`);
  }

  /** The hash of the template that a database of this name is, or is to be; null for any other name. */
  templateHashOf(databaseName: string): string | null {
    const { kind, id = '' } = this.readInternal(databaseName) ?? {};
    return kind === 'template' || kind === 'build' ? (id.split('-')[0] ?? null) : null;
  }

  spare(spareId: string): string {
    return this.#internal('spare', digitsOf(spareId));
  }

  /** @param id a UUID, new for each check: the next check drops what this one leaves */
  check(id: string): string {
    return this.#internal('check', digitsOf(id));
  }

  /** The role that a database's organization uses. */
  role(stamp: string): string {
    return this.#internal('rows', digitsOf(stamp));
  }

  /** The role that holds the rights on rows. */
  get groupRole(): string {
    return this.#internal('rows', 'all');
  }

  /** The empty database in which the service's administrators' sessions are. */
  get administration(): string {
    return this.#internal('admin', 'all');
  }

  /**
   * For a database that is put aside with its data.
   *
   * @param id a UUID; a repetition under the same one finds what the first attempt did
   */
  quarantine(why: 'orphan' | 'retired', id: string): string {
    // As long as fits beside the longest names that the pattern allows.
    return this.#internal(why, digitsOf(id, 11));
  }

  /** What an internal database of this name is for, and which one; null for any other name. */
  readInternal(databaseName: string): { readonly kind: InternalKind; readonly id: string } | null {
    const label = this.#labelOf(databaseName) ?? '';
    const kind = INTERNAL_KINDS.find((known) => label.startsWith(`${known}.`));
    return kind === undefined ? null : { kind, id: label.slice(kind.length + 1) };
  }

  #internal(kind: InternalKind, id: string): string {
    const label = `${kind}.${id}`;
    if (!INTERNAL_LABEL.test(label)) throw new RangeError(`"${label}" makes no internal name`);
    const name = `${label}.${this.family}`;
    if (byteLength(name) > MAX_NAME_BYTES || this.organizationIdOf(name) !== null)
      throw new RangeError(`"${label}" makes no usable database name`);
    return name;
  }

  #labelOf(databaseName: string): string | null {
    const ending = `.${this.family}`;
    if (!databaseName.endsWith(ending)) return null;
    const label = databaseName.slice(0, -ending.length);
    return INTERNAL_LABEL.test(label) ? label : null;
  }

  /** What the names of all results databases have in common. */
  get family(): string {
    return `${this.#prefix}${this.#suffix}`.replaceAll(/^[-_.]+|[-_.]+$/g, '');
  }

  #middleOf(databaseName: string): string | null {
    const length = databaseName.length - this.#prefix.length - this.#suffix.length;
    if (length < 1 || !databaseName.startsWith(this.#prefix) || !databaseName.endsWith(this.#suffix))
      return null;
    return databaseName.slice(this.#prefix.length, this.#prefix.length + length);
  }
}

const byteLength = (text: string): number => new TextEncoder().encode(text).length;

const digitsOf = (uuid: string, count = 12): string => uuid.replaceAll('-', '').slice(0, count);
