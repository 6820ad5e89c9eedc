import type { Client } from 'pg';
import type { Knex } from 'knex';
import { SingleConnectionKnex } from '../migrations/single-connection-knex.ts';

/** The driver's query as Knex calls it. */
type RecordedQuery = (query: { text: string; values: unknown[] }, done: Done) => void;
type Done = (error: Error | null, result?: unknown) => void;

/** Statements that would end the transaction around them. */
const CONTROLS_TRANSACTION = /^\s*(?:begin|start|commit|end|rollback|abort|savepoint|release)\b/i;

/**
 * The text that a migration sends, if it is the same for every database: most migrations ask nothing, they only tell.
 * Such a text is sent to thousands of databases in one round trip each, without Knex in between.
 *
 * Null when the migration looks at an answer, sends values, governs transactions, or sends another text the second
 * time: then only running it on the database itself tells what it does.
 */
export const fixedSqlOf = async (run: (knex: Knex) => Promise<unknown>): Promise<string | null> => {
  const text = await record(run);
  return text !== null && (await record(run)) === text ? text : null;
};

const record = async (run: (knex: Knex) => Promise<unknown>): Promise<string | null> => {
  const texts: string[] = [];
  let fixed = true;
  const query: RecordedQuery = ({ text, values }, done) => {
    if (values.length > 0 || CONTROLS_TRANSACTION.test(text)) {
      fixed = false;
      return done(new Error('not a fixed text'));
    }
    texts.push(text);
    return done(null, UNKNOWN_ANSWER);
  };
  const recorder = new SingleConnectionKnex();
  // Knex asks nothing else of a connection.
  recorder.connection = { query } as unknown as Client;
  try {
    await run(recorder.knex);
  } catch {
    return null;
  }
  // A line break ends a comment that a text may end with.
  return fixed ? texts.join(';\n') : null;
};

/** Knex asks what kind of answer it is, and `await` whether it is one; who wants to know more has to ask a database. */
const UNKNOWN_ANSWER: unknown = new Proxy(
  {},
  {
    get: (_target, key) => {
      if (key === 'then' || key === 'command') return undefined;
      throw new Error('the answer is not known');
    },
  },
);
