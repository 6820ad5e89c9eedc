import type { Logger } from '../../application/ports/runtime/logger.ts';
import type { SqlDatabase, SqlExecutor, SqlQuery } from './statement.ts';

/**
 * The same database, with a debug line for every operation: which statement (by its name, or its text with places for
 * the values), how long, and what kind of error. Never a value. The logger adds the request.
 *
 * @param fields say whose database it is
 */
export const logOperations = (
  database: SqlDatabase,
  logger: Logger,
  fields: { readonly org_id?: string; readonly server?: string; readonly database: string },
): SqlDatabase => {
  const timed = async <Result>(statement: string, run: () => Promise<Result>): Promise<Result> => {
    const startedAt = performance.now();
    const line = (outcome: object): void => {
      const durationMs = Math.round((performance.now() - startedAt) * 1000) / 1000;
      logger.write('statement.executed', { ...fields, statement, duration_ms: durationMs, ...outcome });
    };
    try {
      const result = await run();
      line({});
      return result;
    } catch (error) {
      line({ error: nameOf(error) });
      throw error;
    }
  };
  const loggedQuery = <Row>(executor: SqlExecutor, query: SqlQuery<Row>): Promise<readonly Row[]> =>
    timed(labelOf(query), () => executor.query(query));
  return {
    query: (query) => loggedQuery(database, query),
    transaction: (work) =>
      timed('transaction', () =>
        database.transaction((executor) =>
          work({
            // What is sent with the next statement ends with that one.
            query: (query) =>
              query.isDeferrable === true ? executor.query(query) : loggedQuery(executor, query),
          }),
        ),
      ),
  };
};

const labelOf = <Row>({ name, text }: SqlQuery<Row>): string => name ?? text.replaceAll(/\s+/g, ' ').trim();

/** A message of the server may quote values. */
const nameOf = (error: unknown): string => {
  if (!(error instanceof Error)) return 'unknown';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
};
