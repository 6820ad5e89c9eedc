import type { DatabaseRecord } from '../../application/ports/databases/database-ledger.ts';
import { inspect } from 'node:util';
import {
  organizationIdProblem,
  parseOrganizationId,
  type OrganizationId,
} from '../../domain/organizations/organization-id.ts';
import { databaseNameProblem, DatabaseUrl, InvalidDatabaseUrlError, MAX_NAME_BYTES } from './database-url.ts';
import { describeRefusedUrl } from './refused-url.ts';

const PLACEHOLDER = '{org_id}';
const DEFAULT_DATABASE = `mad_results_${PLACEHOLDER}`;

/** Shorter ids would turn reasonable organizations away. */
const MIN_ID_LENGTH = 20;

/** Databases of the server itself, which no organization may be mapped to. */
export const SERVER_DATABASES: readonly string[] = ['postgres', 'template0', 'template1'];

/** Where the administrator connects to create and drop databases: never a template, which a session would block. */
const ADMIN_DATABASE = 'postgres';

/** The one source of the names of results databases: a database URL that holds `{org_id}` in its database name. */
export class ResultsUrlTemplate {
  readonly #url: DatabaseUrl;
  readonly #prefix: string;
  readonly #suffix: string;
  /** In characters, which are bytes in the alphabet of the ids. */
  readonly maxOrganizationIdLength: number;

  private constructor(url: DatabaseUrl) {
    const [prefix = '', suffix = ''] = url.database.split(PLACEHOLDER);
    this.#url = url;
    this.#prefix = prefix;
    this.#suffix = suffix;
    this.maxOrganizationIdLength = MAX_NAME_BYTES - Buffer.byteLength(prefix + suffix);
    const problem = this.#problem();
    if (problem !== null) throw new InvalidDatabaseUrlError(JSON.stringify(this.redacted), problem);
  }

  /** @throws {InvalidDatabaseUrlError} */
  static parse(text: string): ResultsUrlTemplate {
    const url = DatabaseUrl.parse(text);
    // Encoded braces are the same placeholder.
    const places = text.split(/\{org_id\}|%7Borg_id%7D/i).length - 1;
    if (places !== 1 || !url.database.includes(PLACEHOLDER)) {
      throw new InvalidDatabaseUrlError(
        describeRefusedUrl(text),
        `it must hold ${PLACEHOLDER} once, in its database name`,
      );
    }
    return new ResultsUrlTemplate(url);
  }

  /** The databases `mad_results_{org_id}` beside the metadata database. */
  static fromMetadataUrl(url: DatabaseUrl): ResultsUrlTemplate {
    return new ResultsUrlTemplate(url.withDatabase(DEFAULT_DATABASE));
  }

  databaseNameFor(organizationId: OrganizationId): string {
    return this.#nameOf(organizationId);
  }

  /** What the organization's database is called: as recorded while there is one, whatever the template says by now. */
  databaseNameOf(
    organizationId: OrganizationId,
    record: Pick<DatabaseRecord, 'databaseName' | 'stamp'> | null,
  ): string {
    return record === null || record.stamp === null
      ? this.databaseNameFor(organizationId)
      : record.databaseName;
  }

  urlFor(organizationId: OrganizationId): DatabaseUrl {
    return this.urlForDatabase(this.databaseNameFor(organizationId));
  }

  /** Another database of the same server, with the same login and parameters. */
  urlForDatabase(name: string): DatabaseUrl {
    return this.#url.withDatabase(name);
  }

  get adminUrl(): DatabaseUrl {
    return this.urlForDatabase(ADMIN_DATABASE);
  }

  /**
   * The name of a database or role of the service's own, such as a spare: `label` before what the organizations' names
   * have in common. It is no organization's, because their ids hold no dot.
   */
  internalName(label: string): string {
    if (!INTERNAL_LABEL.test(label)) {
      throw new RangeError(`"${label}" must be lower-case letters, digits, "-", "_" and at least one dot`);
    }
    const name = `${label}.${this.#family}`;
    if (Buffer.byteLength(name) > MAX_NAME_BYTES || this.organizationIdOf(name) !== null) {
      throw new RangeError(`"${label}" makes no usable database name`);
    }
    return name;
  }

  /** The inverse of `databaseNameFor`; null for any other database. */
  organizationIdOf(databaseName: string): OrganizationId | null {
    const value = this.#middleOf(databaseName);
    if (value === null || organizationIdProblem(value, this.maxOrganizationIdLength) !== null) return null;
    return parseOrganizationId(value, this.maxOrganizationIdLength);
  }

  /** The label that `internalName` was given; null for any other database. */
  internalLabelOf(databaseName: string): string | null {
    const ending = `.${this.#family}`;
    if (!databaseName.endsWith(ending)) return null;
    const label = databaseName.slice(0, -ending.length);
    return INTERNAL_LABEL.test(label) ? label : null;
  }

  /** Whether a database of this name could be taken for an organization's, the template, or one of the service's own. */
  collidesWith(databaseName: string): boolean {
    const value = this.#middleOf(databaseName);
    return (value !== null && /^[a-z0-9._-]+$/.test(value)) || this.internalLabelOf(databaseName) !== null;
  }

  /** With passwords masked, for logs and messages. */
  get redacted(): string {
    return this.#url.redacted.replace(encodeURIComponent(PLACEHOLDER), PLACEHOLDER);
  }

  toJSON(): string {
    return this.redacted;
  }

  [inspect.custom](): string {
    return `ResultsUrlTemplate(${this.redacted})`;
  }

  /** What the names of all results databases have in common, for the names of the service's own. */
  get #family(): string {
    return `${this.#prefix}${this.#suffix}`.replaceAll(/^[-_.]+|[-_.]+$/g, '');
  }

  #nameOf(value: string): string {
    return `${this.#prefix}${value}${this.#suffix}`;
  }

  #middleOf(databaseName: string): string | null {
    const length = databaseName.length - this.#prefix.length - this.#suffix.length;
    if (length < 1 || !databaseName.startsWith(this.#prefix) || !databaseName.endsWith(this.#suffix))
      return null;
    return databaseName.slice(this.#prefix.length, this.#prefix.length + length);
  }

  #problem(): string | null {
    if (this.maxOrganizationIdLength < MIN_ID_LENGTH) {
      return `its database name leaves ${this.maxOrganizationIdLength} of ${MAX_NAME_BYTES} bytes for ${PLACEHOLDER}, and at least ${MIN_ID_LENGTH} are needed`;
    }
    const taken = SERVER_DATABASES.find((name) => this.collidesWith(name));
    if (taken !== undefined) return `an organization's database could be the server's own "${taken}"`;
    return databaseNameProblem(this.#nameOf('a'));
  }
}

const INTERNAL_LABEL = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)+$/;
