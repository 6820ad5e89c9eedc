import type { Deployment } from '../../../application/ports/databases/deployment.ts';
import { sql, statement, type SqlExecutor } from '../statement.ts';

const find = statement<object, { deployment_id: string }>('deployment_find', () =>
  sql('deployment').select('deployment_id'),
);

/** The id that the migration gave the metadata database. Decision 0020. */
export class KnexDeployment implements Deployment {
  readonly #database: SqlExecutor;

  constructor(database: SqlExecutor) {
    this.#database = database;
  }

  async id(): Promise<string> {
    const [row] = await this.#database.query(find({}));
    if (row === undefined) throw new Error('the metadata database does not say which deployment it is of');
    return row.deployment_id;
  }
}
