import { createHash, randomUUID } from 'node:crypto';
import type { DatabaseTemplate } from '../../application/ports/databases/database-template.ts';
import type { Deployment } from '../../application/ports/databases/deployment.ts';
import type { SpareLedger, TemplateRecord } from '../../application/ports/databases/spare-ledger.ts';
import type { Logger } from '../../application/ports/runtime/logger.ts';
import { markOf } from '../../domain/databases/database-identity.ts';
import { DEFAULT_SERVER, type ServerId } from '../../domain/databases/server.ts';
import { allOf } from '../../domain/page.ts';
import type { MigrationSource } from '../migrations/migration-source.ts';
import { failUnlessMigrated, HISTORY_TABLE } from '../migrations/migrator.ts';
import type { PgConnection } from '../postgres/pg-connection.ts';
import { identifier, literal } from '../postgres/quoting.ts';
import type { ResultsUrlTemplate } from '../postgres/results-url-template.ts';
import { once } from '../timing/once.ts';
import type { AdminSession } from './admin-session.ts';
import type { ServerAdmin } from './server-admin.ts';

export interface ResultsTemplateDeps {
  readonly serverId: ServerId;
  readonly admin: Pick<ServerAdmin, 'exclusively'>;
  readonly urls: ResultsUrlTemplate;
  readonly migrations: MigrationSource;
  /** Null: organizations have no roles. */
  readonly groupRole: string | null;
  /** Brings a database to the newest schema. */
  readonly migrate: (databaseName: string) => Promise<unknown>;
  /** Opens a connection as the owner, not out of a pool: a session left open would block the cloning. */
  readonly connect: (databaseName: string) => Promise<PgConnection>;
  readonly spares: SpareLedger;
  readonly deployment: Deployment;
  readonly logger: Logger;
}

/**
 * The template of this release and deployment on one server. Its name holds the hash of what it is made of, and for whom, so releases
 * and deployments that share a server clone each its own, and the one under its final name is always complete.
 */
export class ResultsTemplate implements DatabaseTemplate {
  readonly #deps: ResultsTemplateDeps;
  #ensured = once(() => this.#ensure());
  #current: TemplateRecord | null = null;

  constructor(deps: ResultsTemplateDeps) {
    this.#deps = deps;
  }

  get current(): TemplateRecord | null {
    return this.#current;
  }

  ready(): Promise<TemplateRecord> {
    return this.#ensured();
  }

  invalidate(): void {
    this.#current = null;
    this.#ensured = once(() => this.#ensure());
  }

  /**
   * Gives the organizations' roles rows, not DDL; also of what later migrations of the owner make. The schema and the
   * functions for large objects are not the owner's everywhere: then the server warns, and leaves them to everybody.
   */
  async grantRows(databaseName: string): Promise<void> {
    const { groupRole, connect } = this.#deps;
    if (groupRole === null) return;
    const to = identifier(groupRole);
    const connection = await connect(databaseName);
    try {
      await connection.execute(
        `grant usage on schema public to ${to};
         grant select, insert, update, delete on all tables in schema public to ${to};
         grant usage on all sequences in schema public to ${to};
         alter default privileges in schema public grant select, insert, update, delete on tables to ${to};
         alter default privileges in schema public grant usage on sequences to ${to};
         revoke all on ${HISTORY_TABLE} from ${to};
         revoke create on schema public from public;
         revoke execute on function lo_creat(integer), lo_create(oid), lo_from_bytea(oid, bytea) from public`,
      );
    } finally {
      await connection.close();
    }
  }

  async #ensure(): Promise<TemplateRecord> {
    const { serverId, urls, migrations, spares, admin } = this.#deps;
    const files = await migrations.getMigrations();
    const hash = await this.#hash();
    const template = {
      databaseName: urls.names.template(hash),
      hash,
      serverId,
      schemaVersion: files.length,
    };
    // In the ledger before it stands: what is on the server and not in the ledger counts as left over.
    await spares.touchTemplate(template);
    await admin.exclusively(template.databaseName, async (session) => {
      if (!(await session.exists(template.databaseName))) await this.#build(session, template);
    });
    this.#current = template;
    return template;
  }

  async #hash(): Promise<string> {
    const { migrations, groupRole, deployment, serverId } = this.#deps;
    const content = await migrations.contentHash();
    // Templates are recorded by their hash alone, so each server has its own. The default one keeps that of earlier releases.
    const server = serverId === DEFAULT_SERVER ? '' : ` ${serverId}`;
    return createHash('sha256')
      .update(`${FORM} ${content} ${groupRole ?? ''} ${await deployment.id()}${server}`)
      .digest('hex')
      .slice(0, 10);
  }

  async #build(session: AdminSession, { databaseName, hash }: TemplateRecord): Promise<void> {
    const { urls, migrate, deployment, logger } = this.#deps;
    const startedAt = performance.now();
    await this.#dropUnfinished(session, hash);
    const unfinished = urls.names.build(hash, randomUUID());
    const mark = markOf(await deployment.id());
    await session.createEmpty(unfinished);
    await session.mark(unfinished, mark);
    await session.createGroupRole();
    await migrate(unfinished);
    await this.grantRows(unfinished);
    const proof = `${mark} whole ${randomUUID()}`;
    await this.#prove(unfinished, proof);
    await session.seal(unfinished, databaseName, { proof, comment: mark });
    logger.write('template.built', {
      database: databaseName,
      duration_ms: Math.round(performance.now() - startedAt),
    });
  }

  /** What earlier attempts left. The lock on the template is held: none of them is still at work. */
  async #dropUnfinished(session: AdminSession, hash: string): Promise<void> {
    const { names } = this.#deps.urls;
    for await (const { name } of allOf((page) => session.listDatabases(page))) {
      if (names.readInternal(name)?.kind === 'build' && names.templateHashOf(name) === hash)
        await session.drop(name);
    }
  }

  /**
   * Writes the proof into the comment, in the transaction that looks at the history of migrations: the seal looks for it.
   * Without a lock that holds, another process could drop the database, and make an empty one, at any moment before.
   */
  async #prove(databaseName: string, proof: string): Promise<void> {
    const { connect, migrations } = this.#deps;
    const connection = await connect(databaseName);
    try {
      await connection.execute(
        `begin; ${failUnlessMigrated((await migrations.getMigrations()).length)}
         comment on database ${identifier(databaseName)} is ${literal(proof)}; commit`,
      );
    } finally {
      await connection.close();
    }
  }
}

/** Of how templates are made. It is in their hash: those of releases that did not look at the history are not used. */
const FORM = 'proved';
