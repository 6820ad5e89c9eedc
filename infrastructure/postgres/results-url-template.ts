import { inspect, isDeepStrictEqual } from 'node:util';
import { DatabaseNames, ORGANIZATION_PLACEHOLDER } from '../../domain/databases/database-names.ts';
import { ClusterHistory } from './cluster-history.ts';
import { DatabaseUrl, InvalidDatabaseUrlError } from './database-url.ts';
import { describeRefusedUrl } from './refused-url.ts';
import { databaseNameProblem } from './url-parts.ts';

const DEFAULT_DATABASE = `mad_results_${ORGANIZATION_PLACEHOLDER}`;

/**
 * The administrator connects to this database. It must not be a template: a session in one blocks every clone of it.
 */
const ADMIN_DATABASE = 'postgres';

/** The URL of one server's results databases, with `{org_id}` in the database name. */
export class ResultsUrlTemplate {
  readonly #url: DatabaseUrl;
  /** The server behind the pooler that `#url` leads to; null: `#url` leads to the server itself. */
  readonly #direct: DatabaseUrl | null;
  readonly names: DatabaseNames;

  private constructor(url: DatabaseUrl, direct: DatabaseUrl | null = null) {
    this.#url = url;
    this.#direct = direct;
    this.names = new DatabaseNames(url.database);
    const sample = url.database.replace(ORGANIZATION_PLACEHOLDER, 'a');
    const problem = this.names.problem ?? databaseNameProblem(sample);
    if (problem !== null) throw new InvalidDatabaseUrlError(JSON.stringify(this.redacted), problem);
  }

  /** @throws {InvalidDatabaseUrlError} */
  static parse(text: string): ResultsUrlTemplate {
    const url = DatabaseUrl.parse(text);
    // Some tools percent-encode the braces.
    const places = text.split(/\{org_id\}|%7Borg_id%7D/i).length - 1;
    if (places !== 1 || !url.database.includes(ORGANIZATION_PLACEHOLDER)) {
      throw new InvalidDatabaseUrlError(
        describeRefusedUrl(text),
        `it must hold ${ORGANIZATION_PLACEHOLDER} once, in its database name`,
      );
    }
    return new ResultsUrlTemplate(url);
  }

  /** The default: databases `mad_results_{org_id}` on the server of the metadata database. */
  static fromMetadataUrl(url: DatabaseUrl): ResultsUrlTemplate {
    return new ResultsUrlTemplate(url.withDatabase(DEFAULT_DATABASE));
  }

  /**
   * The same databases, where this URL leads to a connection pooler. Decision 0038.
   *
   * @param direct a URL of the server itself, with the login of the databases' owner; its own database is not used
   */
  behindPooler(direct: DatabaseUrl): ResultsUrlTemplate {
    ClusterHistory.share(this.#url.servers, direct.servers);
    return new ResultsUrlTemplate(this.#url, direct);
  }

  /** Whether requests may meet a pooler. */
  get isPooled(): boolean {
    return this.#direct !== null;
  }

  /** Whether a database of this URL is on the same hosts and ports. */
  isBeside(url: DatabaseUrl): boolean {
    return isDeepStrictEqual(this.#url.servers, url.servers);
  }

  leavesOpen(parameter: string): boolean {
    return this.#url.leavesOpen(parameter);
  }

  /** The URL by which requests reach any database of the server. */
  urlForDatabase(name: string): DatabaseUrl {
    return this.#url.withDatabase(name);
  }

  /** As the owner, on the server itself: for what administers, migrates, holds locks or renames. */
  ownerUrlFor(name: string): DatabaseUrl {
    return (this.#direct ?? this.#url).withDatabase(name);
  }

  get adminUrl(): DatabaseUrl {
    return this.ownerUrlFor(ADMIN_DATABASE);
  }

  /** With passwords masked, for logs and messages. */
  get redacted(): string {
    return this.#url.redacted.replace(encodeURIComponent(ORGANIZATION_PLACEHOLDER), ORGANIZATION_PLACEHOLDER);
  }

  toJSON(): string {
    return this.redacted;
  }

  [inspect.custom](): string {
    return `ResultsUrlTemplate(${this.redacted})`;
  }
}
