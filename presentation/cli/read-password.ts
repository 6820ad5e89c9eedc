import { createInterface, type Interface } from 'node:readline/promises';
import { Writable, type Readable } from 'node:stream';

/** Raised when no password was given, or two that differ. */
export class PasswordInputError extends Error {
  override readonly name = 'PasswordInputError';
}

interface Terminal {
  readonly input: Readable & { readonly isTTY?: boolean };
  /** Takes the questions, never what is typed. */
  readonly output: Writable;
}

/**
 * Asks for a password twice, without showing it. Input that is no terminal is read instead, up to the end of its first line.
 *
 * @throws {PasswordInputError}
 */
export const readPassword = async ({ input, output }: Terminal): Promise<string> => {
  const isTerminal = input.isTTY === true;
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  // On a terminal Ctrl-C and Ctrl-D close it.
  const reader = createInterface({ input, output: silent, terminal: isTerminal, historySize: 0 });
  const lines = linesOf(reader);
  const ask = async (question: string): Promise<string> => {
    output.write(question);
    return nextLine(lines).finally(() => output.write('\n'));
  };
  try {
    if (!isTerminal) return await nextLine(lines);
    const password = await ask('Password: ');
    if (password !== (await ask('Password again: ')))
      throw new PasswordInputError('These are two different passwords.');
    return password;
  } finally {
    reader.close();
  }
};

/** Keeps what was typed before it was asked for. */
const linesOf = (reader: Interface): AsyncIterator<string> => reader[Symbol.asyncIterator]();

const nextLine = async (lines: AsyncIterator<string>): Promise<string> => {
  const { value, done } = await lines.next();
  if (done === true) throw new PasswordInputError('No password was given.');
  return value;
};
