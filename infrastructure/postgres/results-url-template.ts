import { inspect } from 'node:util';
import { DatabaseNames, ORGANIZATION_PLACEHOLDER } from '../../domain/databases/database-names.ts';
import { databaseNameProblem, DatabaseUrl, InvalidDatabaseUrlError } from './database-url.ts';
import { describeRefusedUrl } from './refused-url.ts';

const DEFAULT_DATABASE = `mad_results_${ORGANIZATION_PLACEHOLDER}`;

/** Where the administrator connects to create and drop databases: never a template, which a session would block. */
const ADMIN_DATABASE = 'postgres';

/** Where one server's results databases are, and how they are called: a URL with `{org_id}` in its database name. */
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
    // Encoded braces are the same placeholder.
    const places = text.split(/\{org_id\}|%7Borg_id%7D/i).length - 1;
    if (places !== 1 || !url.database.includes(ORGANIZATION_PLACEHOLDER)) {
      throw new InvalidDatabaseUrlError(
        describeRefusedUrl(text),
        `it must hold ${ORGANIZATION_PLACEHOLDER} once, in its database name`,
      );
    }
    return new ResultsUrlTemplate(url);
  }

  /** The databases `mad_results_{org_id}` beside the metadata database. */
  static fromMetadataUrl(url: DatabaseUrl): ResultsUrlTemplate {
    return new ResultsUrlTemplate(url.withDatabase(DEFAULT_DATABASE));
  }

  /** Another database of the same server, with the same login and parameters. */
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
