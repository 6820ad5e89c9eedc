import type { Deployment } from '../../../application/ports/deployment.ts';
import { sql, statement, type SqlExecutor } from '../statement.ts';

const find = statement<object, { deployment_id: string }>('deployment_find', () =>
  sql('deployment').select('deployment_id'),
);

/** Asks the metadata database once; a failure is not remembered. Safe to call concurrently. */
export class KnexDeployment implements Deployment {
  readonly #database: SqlExecutor;
  #id: Promise<string> | null = null;

  constructor(database: SqlExecutor) {
    this.#database = database;
  }

  id(): Promise<string> {
    if (this.#id === null) {
      const asked = this.#ask();
      this.#id = asked;
      asked.catch(() => {
        this.#id = null;
      });
    }
    return this.#id;
  }

  async #ask(): Promise<string> {
    const [row] = await this.#database.query(find({}));
    if (row === undefined) throw new Error('the metadata database does not say which deployment it is of');
    return row.deployment_id;
  }
}
