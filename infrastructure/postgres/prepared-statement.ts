import pg, { type Connection, type FieldDef, type Submittable } from 'pg';
import { serialize } from 'pg-protocol';

type Row = Record<string, unknown>;

/** What the protocol sends as it is written. Whatever else there is, the driver knows how to write. */
type Plain = string | number | boolean | null;

const isPlain = (value: unknown): value is Plain =>
  value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';

/**
 * A named statement that has run on a connection before. The driver would have its rows described, and read the
 * description, at every run. They cannot change while the statement stands (the server refuses to run it then), so what
 * the first run brought is kept.
 */
export class PreparedStatement {
  /** The latest by name: a program has few. */
  static readonly #latest = new Map<string, PreparedStatement>();

  readonly name: string;
  readonly #text: string;
  readonly #fields: readonly FieldDef[];
  readonly #columns: readonly { readonly name: string; readonly parse: (text: string) => unknown }[];
  /** A row of nulls: copied, so that all rows have one shape. */
  readonly #blank: Readonly<Row>;

  /**
   * The same one for all connections to which it means the same. A thousand organizations would have as many copies, none
   * of which a processor would find in its caches.
   *
   * @param fields as in the first run's result
   */
  static of(name: string, text: string, fields: readonly FieldDef[]): PreparedStatement {
    const latest = PreparedStatement.#latest.get(name);
    if (latest !== undefined && latest.#describes(text, fields)) return latest;
    const made = new PreparedStatement(name, text, fields);
    PreparedStatement.#latest.set(name, made);
    return made;
  }

  private constructor(name: string, text: string, fields: readonly FieldDef[]) {
    this.name = name;
    this.#text = text;
    this.#fields = fields;
    this.#columns = fields.map((field) => ({
      name: field.name,
      // The types know the built-in ids by name; a column may have any.
      // oxlint-disable-next-line typescript/no-unsafe-enum-assignment
      parse: pg.types.getTypeParser(field.dataTypeID, 'text'),
    }));
    this.#blank = Object.fromEntries(fields.map((field) => [field.name, null]));
  }

  #describes(text: string, fields: readonly FieldDef[]): boolean {
    return (
      text === this.#text &&
      fields.length === this.#fields.length &&
      fields.every(({ name, dataTypeID }, index) => {
        const own = this.#fields[index];
        return name === own?.name && dataTypeID === own.dataTypeID;
      })
    );
  }

  /** Whether this is the statement, and its values are such as `run` can send. */
  fits(text: string, values: readonly unknown[]): values is readonly Plain[] {
    return text === this.#text && values.every(isPlain);
  }

  /** Rejects with the driver's or the server's error. */
  run(client: pg.Client, values: readonly Plain[]): Promise<readonly Row[]> {
    return new Promise((resolve, reject) => {
      client.query(new StatementRun(this, values, (error, rows) => (error ? reject(error) : resolve(rows))));
    });
  }

  toRow(cells: readonly (string | null)[]): Row {
    const row = { ...this.#blank };
    for (const [index, { name, parse }] of this.#columns.entries()) {
      const cell = cells[index] ?? null;
      row[name] = cell === null ? null : parse(cell);
    }
    return row;
  }
}

const EXECUTE_AND_SYNC = Buffer.concat([serialize.execute(), serialize.sync()]);

/** One run, as the driver's client deals with a query. It is over with `callback`, which the client wraps for its timeout. */
class StatementRun implements Submittable {
  callback: (error: Error | null, rows: readonly Row[]) => void;
  readonly #statement: PreparedStatement;
  readonly #values: readonly Plain[];
  readonly #rows: Row[] = [];
  #error: Error | null = null;

  constructor(statement: PreparedStatement, values: readonly Plain[], callback: StatementRun['callback']) {
    this.#statement = statement;
    this.#values = values;
    this.callback = callback;
  }

  submit(connection: Connection): void {
    const values = this.#values.map((value) => (value === null ? null : String(value)));
    const bind = serialize.bind({ statement: this.#statement.name, values });
    // As one piece: the driver would write three, and a stream takes longer over each than the copying does.
    if (connection.stream.writable) connection.stream.write(Buffer.concat([bind, EXECUTE_AND_SYNC]));
  }

  handleDataRow({ fields }: { readonly fields: readonly (string | null)[] }): void {
    try {
      this.#rows.push(this.#statement.toRow(fields));
    } catch (error) {
      // A value that its type's parser does not take. The rest of the answer has to be read all the same.
      this.#error ??= error instanceof Error ? error : new Error(String(error));
    }
  }

  handleCommandComplete(): void {
    // Its tag says nothing that the first run's has not said.
  }

  handleError(error: Error): void {
    this.callback(error, []);
  }

  handleReadyForQuery(): void {
    this.callback(this.#error, this.#rows);
  }
}
