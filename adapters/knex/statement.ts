import knex, { type Knex } from 'knex';

/**
 * What a database connection runs, and the shape of the rows that come back.
 * Statements with a name are parsed by the server once per connection.
 */
export interface SqlQuery<Row> {
  /** Carries the type alone; never set. */
  readonly row?: Row;
  readonly name?: string;
  readonly text: string;
  readonly values: readonly unknown[];
  /** A statement that only reads may be sent again when its connection broke under it. */
  readonly readOnly: boolean;
  /** The statement leaves an entry in the outbox of the audit trail. */
  readonly isAudited?: boolean;
  /** A write whose rows nobody reads: in a transaction it is sent with what follows, and fails there. */
  readonly isDeferrable?: boolean;
}

export interface SqlExecutor {
  /** Runs one statement on its own, or as the next one of the transaction that this executor stands for. */
  query<Row>(query: SqlQuery<Row>): Promise<readonly Row[]>;
}

export interface SqlDatabase extends SqlExecutor {
  transaction<Result>(work: (executor: SqlExecutor) => Promise<Result>): Promise<Result>;
}

/** Knex as a compiler of SQL. It has no connection. Decision 0001. */
export const sql: Knex = knex({ client: 'pg', compileSqlOnError: false });

/** Stands in a query for a value that each run fills in. */
class Parameter {
  readonly key: string;

  constructor(key: string) {
    this.key = key;
  }
}

/** Knex passes bindings through untouched. The marker never reaches the driver: `statement` replaces it. */
const placeholderFor = (key: string): Knex.Value => new Parameter(key) as unknown as Knex.Value;

type Compilable = Knex.QueryBuilder | Knex.Raw;

const compile = (query: Compilable): { text: string; values: readonly unknown[]; isSelect: boolean } => {
  const compiled = query.toSQL();
  const { sql: text, bindings } = compiled.toNative();
  return { text, values: bindings, isSelect: compiled.method === 'select' || compiled.method === 'first' };
};

/** Compiles a query whose shape depends on the request. */
export const dynamicQuery = <Row>(query: Compilable): SqlQuery<Row> => {
  const { text, values, isSelect: readOnly } = compile(query);
  return { text, values, readOnly };
};

/**
 * Compiles a query once; each run only fills in the values.
 *
 * @param name names the server-side statement; unique in the program
 * @param build receives `p(key)`, the placeholder for the value `key`
 * @param options.readOnly whether it only reads; by default it does when Knex built it as a `select`
 * @param options.isAudited whether the statement leaves an entry in the outbox of the audit trail; no by default
 * @returns a function from values to the query that can be run
 */
export const statement = <Values extends object, Row = never>(
  name: string,
  build: (p: (key: keyof Values & string) => Knex.Value) => Compilable,
  options: {
    readonly isAudited?: boolean;
    readonly readOnly?: boolean;
    readonly isDeferrable?: boolean;
  } = {},
): ((values: Values) => SqlQuery<Row>) => {
  const { text, values: bindings, isSelect } = compile(build(placeholderFor));
  const { isAudited = false, isDeferrable = false, readOnly = isSelect } = options;
  return (values) => {
    // `build` can name no key but theirs.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const byKey = values as Readonly<Record<string, unknown>>;
    return {
      name,
      text,
      readOnly,
      isAudited,
      isDeferrable,
      values: bindings.map((binding) => (binding instanceof Parameter ? byKey[binding.key] : binding)),
    };
  };
};
