import { randomUUID } from 'node:crypto';
import type { Container } from 'inversify';
import knex, { type Knex } from 'knex';
import { Client } from 'pg';
import { KnexDockingJobRepository } from '../../adapters/knex/results/knex-docking-job-repository.ts';
import type { SqlQuery } from '../../adapters/knex/statement.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import type { ServerSession } from '../../application/ports/databases/server-session.ts';
import type { DatabaseUrl } from '../../infrastructure/postgres/database-url.ts';
import { resultsMigrations } from '../../infrastructure/migrations/migration-source.ts';
import { ALL_JOBS } from '../support/sample-job.ts';
import { defaultServer } from '../support/servers.ts';

/** What the service asks first of a new organization's database, word for word. */
const firstQuery = async (): Promise<{ readonly text: string; readonly values: unknown[] }> => {
  const asked: SqlQuery<unknown>[] = [];
  const query = async (statement: SqlQuery<unknown>): Promise<readonly never[]> => {
    asked.push(statement);
    return [];
  };
  await new KnexDockingJobRepository({ query }).list(...ALL_JOBS);
  const [first] = asked;
  if (first === undefined) throw new Error('the service asks nothing');
  return { text: first.text, values: [...first.values] };
};
const FIRST_QUERY = await firstQuery();

/**
 * What the driver alone can do on the same server, with the same logins: the floors under the service's own paths. Its
 * connections stay open until the end, as those of the service do.
 */
export class RawDatabases {
  readonly #container: Container;
  readonly #admin: Client;
  readonly #open: Client[] = [];
  #made = 0;

  private constructor(container: Container, admin: Client) {
    this.#container = container;
    this.#admin = admin;
  }

  /** @param container of a deployment with a role per organization */
  static async open(container: Container): Promise<RawDatabases> {
    const admin = rawClient(container.get(TOKENS.config).database.servers[0].urls.adminUrl);
    await admin.connect();
    return new RawDatabases(container, admin);
  }

  /** A database like a spare of the service: cloned, restricted, connected to once. Not part of any floor. */
  async prepareSpare(): Promise<() => Promise<void>> {
    const name = this.#newName();
    const stamp = randomUUID();
    const template = await defaultServer(this.#container).template.ready();
    await this.#withSession(async (session) => {
      await session.clone(template.databaseName, name);
      await session.restrict(name, stamp);
    });
    const owner = rawClient(this.#urls.urlForDatabase(name));
    await owner.connect();
    await owner.end();
    const login = defaultServer(this.#container).logins?.loginFor(stamp);
    if (login === undefined) throw new Error('the deployment has no roles');
    const finalName = this.#newName();
    const url = this.#urls.urlForDatabase(finalName).withCredentials(login.user, login.password);
    return async () => {
      await this.#admin.query(`alter database "${name}" rename to "${finalName}"`);
      await this.#connectAndSelect(url);
    };
  }

  /** Clones the service's template, connects and selects. */
  async clone(): Promise<void> {
    const name = this.#newName();
    const template = await defaultServer(this.#container).template.ready();
    await this.#admin.query(`create database "${name}" template "${template.databaseName}"`);
    await this.#connectAndSelect(this.#urls.urlForDatabase(name));
  }

  /** Creates an empty database, runs the same migrations through Knex itself, and selects. */
  async createAndMigrate(): Promise<void> {
    const name = this.#newName();
    await this.#admin.query(`create database "${name}"`);
    const connection = this.#urls.urlForDatabase(name).toClientConfigs()[0];
    // Knex hands it to `pg.Client` as it is; its own type does not know optional fields that may be undefined.
    const database = knex({ client: 'pg', connection: connection as object, pool: { min: 0, max: 1 } });
    try {
      await database.migrate.latest({ migrationSource: resultsMigrations });
      // Knex would read the placeholders as its own.
      const client = database.client as Knex.Client;
      const session = (await client.acquireConnection()) as Client;
      await session.query(FIRST_QUERY).finally(() => client.releaseConnection(session));
    } finally {
      await database.destroy();
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#admin, ...this.#open].map((client) => client.end()));
  }

  get #urls() {
    return this.#container.get(TOKENS.config).database.servers[0].urls;
  }

  #newName(): string {
    // Holds the deployment's prefix, so that it is dropped with the deployment.
    return this.#urls.names.check(`raw${(this.#made += 1)}`);
  }

  #withSession(work: (session: ServerSession) => Promise<void>): Promise<void> {
    return defaultServer(this.#container).exclusively('benchmark', work);
  }

  async #connectAndSelect(url: DatabaseUrl): Promise<void> {
    const client = rawClient(url);
    await client.connect();
    await client.query(FIRST_QUERY);
    this.#open.push(client);
  }
}

/** The tests' server is a single one. */
const rawClient = (url: DatabaseUrl): Client => new Client(url.toClientConfigs()[0]);
