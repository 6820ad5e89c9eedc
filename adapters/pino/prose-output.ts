import type { DestinationStream } from 'pino';

interface LoggedError {
  readonly message: string;
  readonly stack?: string;
  readonly cause?: LoggedError | string;
}

interface LogLine {
  readonly level: string;
  /** ISO 8601. */
  readonly time: string;
  readonly pid: number;
  readonly event: string;
  readonly msg: string;
  readonly err?: LoggedError | string;
}

/** Writes pino's lines of JSON as lines for people, to a terminal. */
export const proseOutput = (terminal: DestinationStream): DestinationStream => ({
  write: (line) => terminal.write(toProse(line)),
});

const toProse = (line: string): string => {
  // Our own logger has written it.
  const { level, time, pid: _pid, event: _event, msg, err, ...fields } = JSON.parse(line) as LogLine;
  const clock = new Date(time).toTimeString().slice(0, 8);
  const word = level === 'info' ? '' : `${level.toUpperCase()}: `;
  const facts = Object.entries(fields).map(([name, value]) => `${name} ${shown(value)}`);
  const lines = [
    `${clock}  ${word}${msg}${err === undefined ? '' : `: ${reasonsOf(err)}`}${facts.length === 0 ? '' : `  (${facts.join(', ')})`}`,
    // Whoever reads a warning wants to know what is the matter; only an error asks for the place in the code.
    ...(level === 'error' ? stackOf(err) : []),
  ];
  return lines.map((text) => `${printable(text)}\n`).join('');
};

const shown = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

const reasonsOf = (error: LoggedError | string): string => {
  if (typeof error === 'string') return error;
  return error.cause === undefined ? error.message : `${error.message}: ${reasonsOf(error.cause)}`;
};

const stackOf = (error: LoggedError | string | undefined): readonly string[] =>
  typeof error === 'object' ? (error.stack ?? '').split('\n').filter((text) => /^\s+at /.test(text)) : [];

/** A terminal obeys control characters, which callers can send us, in a path for example. */
const printable = (text: string): string => text.replaceAll(/\p{C}/gu, '\uFFFD');
