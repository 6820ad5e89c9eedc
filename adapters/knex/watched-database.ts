import type { WriteWatcher } from '../../application/ports/audit/write-watcher.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import type { SqlDatabase, SqlExecutor, SqlQuery } from './statement.ts';

/** One organization's database. It tells a watcher of every write that leaves an entry in the outbox. Decision 0015. */
export class WatchedDatabase implements SqlDatabase {
  readonly #database: SqlDatabase;
  readonly #organizationId: OrganizationId;
  readonly #watcher: WriteWatcher;

  constructor(database: SqlDatabase, organizationId: OrganizationId, watcher: WriteWatcher) {
    this.#database = database;
    this.#organizationId = organizationId;
    this.#watcher = watcher;
  }

  query<Row>(query: SqlQuery<Row>): Promise<readonly Row[]> {
    return query.isAudited === true ? this.#write(query) : this.#database.query(query);
  }

  async transaction<Result>(work: (executor: SqlExecutor) => Promise<Result>): Promise<Result> {
    let begun = false;
    try {
      return await this.#database.transaction((executor) =>
        work({
          query: async (query) => {
            if (query.isAudited === true && !begun) {
              begun = true;
              const waiting = this.#watcher.begin(this.#organizationId);
              if (waiting !== null) await waiting;
            }
            return executor.query(query);
          },
        }),
      );
    } finally {
      if (begun) this.#watcher.end(this.#organizationId);
    }
  }

  async #write<Row>(query: SqlQuery<Row>): Promise<readonly Row[]> {
    const waiting = this.#watcher.begin(this.#organizationId);
    try {
      if (waiting !== null) await waiting;
      return await this.#database.query(query);
    } finally {
      this.#watcher.end(this.#organizationId);
    }
  }
}
