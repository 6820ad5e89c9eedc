import { inspect } from 'node:util';
import { DatabaseNames, ORGANIZATION_PLACEHOLDER } from '../../domain/databases/database-names.ts';
import { databaseNameProblem, DatabaseUrl, InvalidDatabaseUrlError } from './database-url.ts';
import { describeRefusedUrl } from './refused-url.ts';

const DEFAULT_DATABASE = `mad_results_${ORGANIZATION_PLACEHOLDER}`;

/**
 * The administrator connects to this database. It must not be a template: a session in one blocks every clone of it.
 */
const ADMIN_DATABASE = 'postgres';

/** The URL of one server's results databases, with `{org_id}` in the database name. */
export class ResultsUrlTemplate {
  readonly #url: DatabaseUrl;
  readonly names: DatabaseNames;

  private constructor(url: DatabaseUrl) {
    this.#url = url;
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

  /** The URL of any database on the same server, with the same login and parameters. */
  urlForDatabase(name: string): DatabaseUrl {
    return this.#url.withDatabase(name);
  }

  get adminUrl(): DatabaseUrl {
    return this.urlForDatabase(ADMIN_DATABASE);
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
