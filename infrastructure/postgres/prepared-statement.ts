import pg, { type Connection, type FieldDef, type Submittable } from 'pg';
import { serialize } from 'pg-protocol';

type Row = Record<string, unknown>;

/** Values that the protocol sends as plain text. The driver serializes all other types. */
type Plain = string | number | boolean | null;

const isPlain = (value: unknown): value is Plain =>
  value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';

/**
 * A named statement that has already run on a connection. It keeps the column descriptions of the first run, so later
 * runs skip the Describe step that the driver would repeat. The columns cannot change: the server refuses to run the
 * statement after a change. Decision 0024.
 */
export class PreparedStatement {
  /** The latest statement of each name. A program has few names, so the map stays small. */
  static readonly #latest = new Map<string, PreparedStatement>();

  readonly name: string;
  /** It begins a transaction: a silent server is not waited for on its account. */
  readonly isInstant: boolean;
  readonly #text: string;
  readonly #fields: readonly FieldDef[];
  readonly #columns: readonly { readonly name: string; readonly parse: (text: string) => unknown }[];
  /** A row of nulls. Each row is a copy, so that V8 gives all rows one hidden class. */
  readonly #blank: Readonly<Row>;

  /**
   * Connections share one object for a statement with the same text and columns. With a copy for each of a thousand
   * organizations, most runs would miss the processor's caches.
   *
   * @param fields of the first run's result
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
    this.isInstant = text === 'begin';
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

  /** Whether the text is this statement's and `runAll` can send the values. */
  fits(text: string, values: readonly unknown[]): values is readonly Plain[] {
    return text === this.#text && values.every(isPlain);
  }

  /**
   * Runs statements in their order, with one write. The server runs none after one that fails. Returns what the last one gave;
   * rejects with the driver's or the server's error.
   *
   * @param answerTimeoutMs for each statement, as the server's own deadline is; 0 is for ever
   */
  static runAll(
    client: pg.Client,
    steps: readonly PreparedStep[],
    answerTimeoutMs: number,
  ): Promise<StatementOutcome> {
    return new Promise((resolve, reject) => {
      const callback: StatementRun['callback'] = (error, outcome) =>
        error ? reject(error) : resolve(outcome);
      client.query(new StatementRun(steps, answerTimeoutMs, callback));
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

/** A statement and the values of one run, which fit it. */
export interface PreparedStep {
  readonly statement: PreparedStatement;
  readonly values: readonly Plain[];
}

export interface StatementOutcome {
  readonly rows: readonly Row[];
  /** The server's word for what it did, such as `COMMIT`. */
  readonly command: string;
}

const EXECUTE = serialize.execute();
const SYNC = serialize.sync();

/**
 * One run of statements, in the form that the driver's client calls. The run ends when it calls `callback`. The client replaces
 * `callback` to stop its timeout.
 */
class StatementRun implements Submittable {
  callback: (error: Error | null, outcome: StatementOutcome) => void;
  /** The driver reads it: without it, all statements of a run had the time of one. */
  readonly query_timeout: number;
  readonly #steps: readonly PreparedStep[];
  /** The step that the server is at. */
  #at = 0;
  #rows: Row[] = [];
  #command = '';
  #error: Error | null = null;

  constructor(steps: readonly PreparedStep[], answerTimeoutMs: number, callback: StatementRun['callback']) {
    this.#steps = steps;
    this.query_timeout = answerTimeoutMs * steps.filter(({ statement }) => !statement.isInstant).length;
    this.callback = callback;
  }

  submit(connection: Connection): void {
    const messages: Buffer[] = [];
    for (const { statement, values: given } of this.#steps) {
      const values = given.map((value) => (value === null ? null : String(value)));
      messages.push(serialize.bind({ statement: statement.name, values }), EXECUTE);
    }
    messages.push(SYNC);
    // One write of a copied buffer is faster than the driver's three writes.
    if (connection.stream.writable) connection.stream.write(Buffer.concat(messages));
  }

  handleDataRow({ fields }: { readonly fields: readonly (string | null)[] }): void {
    const step = this.#steps[this.#at];
    if (step === undefined) return;
    try {
      this.#rows.push(step.statement.toRow(fields));
    } catch (error) {
      // A type's parser refused the value. The rest of the answer must still be read before the next statement.
      this.#error ??= error instanceof Error ? error : new Error(String(error));
    }
  }

  handleCommandComplete({ text }: { readonly text: string }): void {
    [this.#command = ''] = text.split(' ', 1);
    this.#at += 1;
    if (this.#at < this.#steps.length) this.#rows = [];
  }

  handleError(error: Error): void {
    this.callback(error, this.#outcome);
  }

  handleReadyForQuery(): void {
    this.callback(this.#error, this.#outcome);
  }
  get #outcome(): StatementOutcome {
    return { rows: this.#rows, command: this.#command };
  }
}
