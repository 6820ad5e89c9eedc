import { createHash } from 'node:crypto';
import type { Deployment } from '../../application/ports/databases/deployment.ts';
import type { Logger } from '../../application/ports/runtime/logger.ts';
import type { SpareLedger, TemplateRecord } from '../../application/ports/databases/spare-ledger.ts';
import type { PgConnection } from '../postgres/pg-connection.ts';
import type { ResultsUrlTemplate } from '../postgres/results-url-template.ts';
import type { MigrationSource } from '../migrations/migration-source.ts';
import { HISTORY_TABLE, Migrator } from '../migrations/migrator.ts';
import { once } from '../timing/once.ts';
import { markOf } from '../../domain/databases/database-identity.ts';
import { buildName, templateName } from './internal-names.ts';
import type { OrganizationLogins } from './organization-logins.ts';
import { identifier } from '../postgres/quoting.ts';
import type { ResultsServer } from './results-server.ts';
import type { ServerSession } from './server-session.ts';

export interface ResultsTemplateDeps {
  readonly server: ResultsServer;
  readonly urls: ResultsUrlTemplate;
  readonly migrations: MigrationSource;
  readonly logins: OrganizationLogins | null;
  /** Opens a connection as the owner, not out of a pool: a session left open would block the cloning. */
  readonly connect: (databaseName: string) => Promise<PgConnection>;
  readonly ledger: SpareLedger;
  readonly deployment: Deployment;
  readonly logger: Logger;
}

/**
 * The template of this release and deployment. Its name holds the hash of what it is made of, and for whom, so releases
 * and deployments that share a server clone each its own, and the one under its final name is always complete.
 */
export class ResultsTemplate {
  readonly #deps: ResultsTemplateDeps;
  #current = once(() => this.#ensure());

  constructor(deps: ResultsTemplateDeps) {
    this.#deps = deps;
  }

  /** Builds the template unless it stands already. Safe to call concurrently; a failure is not remembered. */
  ready(): Promise<TemplateRecord> {
    return this.#current();
  }

  /** The template is gone (an operator dropped it): the next call of `ready` builds it again. */
  invalidate(): void {
    this.#current = once(() => this.#ensure());
  }

  /** Gives the organizations' roles rows, not DDL; also of what later migrations of the owner make. */
  async grantRows(databaseName: string): Promise<void> {
    const { logins, connect } = this.#deps;
    if (logins === null) return;
    const to = identifier(logins.groupRole);
    const connection = await connect(databaseName);
    try {
      await connection.execute(
        `grant usage on schema public to ${to};
         grant select, insert, update, delete on all tables in schema public to ${to};
         grant usage on all sequences in schema public to ${to};
         alter default privileges in schema public grant select, insert, update, delete on tables to ${to};
         alter default privileges in schema public grant usage on sequences to ${to};
         revoke all on ${HISTORY_TABLE} from ${to}`,
      );
    } finally {
      await connection.close();
    }
  }

  async #ensure(): Promise<TemplateRecord> {
    const { urls, migrations, ledger, server } = this.#deps;
    const files = await migrations.getMigrations();
    const hash = await this.#hash();
    const template = {
      databaseName: templateName(urls, hash),
      hash,
      schemaVersion: files.length,
    };
    // On the books before it stands: what is on the server and on no book counts as left over.
    await ledger.touchTemplate(template);
    await server.exclusively(template.databaseName, async (session) => {
      if (!(await session.exists(template.databaseName))) await this.#build(session, template);
    });
    return template;
  }

  async #hash(): Promise<string> {
    const { migrations, logins, deployment } = this.#deps;
    const content = await migrations.contentHash();
    return createHash('sha256')
      .update(`${content} ${logins?.groupRole ?? ''} ${await deployment.id()}`)
      .digest('hex')
      .slice(0, 10);
  }

  async #build(session: ServerSession, { databaseName, hash }: TemplateRecord): Promise<void> {
    const { urls, migrations, deployment, logger } = this.#deps;
    const startedAt = performance.now();
    const unfinished = buildName(urls, hash);
    await session.drop(unfinished);
    await session.createEmpty(unfinished);
    await session.mark(unfinished, markOf(await deployment.id()));
    await session.createGroupRole();
    await new Migrator(migrations).latest(urls.urlForDatabase(unfinished));
    await this.grantRows(unfinished);
    await session.seal(unfinished, databaseName);
    logger.info(
      { database: databaseName, duration_ms: Math.round(performance.now() - startedAt) },
      'results template built',
    );
  }
}
