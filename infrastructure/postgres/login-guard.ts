import type pg from 'pg';
import type { AuthMethod } from './auth-methods.ts';
import { AuthenticationRefusedError } from './postgres-errors.ts';

/** What the server may ask for, and the answer. */
export interface LoginGuardOptions {
  readonly allowed: ReadonlySet<AuthMethod>;
  /** Empty: the URL holds none. */
  readonly password: string;
  /** What proves the password is sent after this. */
  readonly loginAfter: Promise<unknown> | undefined;
}

/**
 * Answers what a server asks at login, and refuses what `require_auth` does not allow, before any answer is sent. The
 * driver itself would send the password in clear text to whoever asks, and would take a server for proved that breaks
 * off SCRAM. Give `answer` to the client as its password, and `watch` the client before it connects. Decision 0039.
 */
export class LoginGuard {
  readonly #options: LoginGuardOptions;
  /** What the server asks for; `none` before it asks. */
  #asked: AuthMethod = 'none';
  #isProved = false;

  constructor(options: LoginGuardOptions) {
    this.#options = options;
  }

  /** The driver calls it when the server has asked. @throws {AuthenticationRefusedError} */
  readonly answer = async (): Promise<string> => {
    this.#assertAllowed();
    const { loginAfter, password } = this.#options;
    // SCRAM begins with random numbers: `watch` holds back what follows them.
    if (this.#asked !== 'scram-sha-256') await loginAfter;
    if (password !== '') return password;
    throw new AuthenticationRefusedError(
      'the server asks for a password, and the URL holds none (PGPASSWORD and ~/.pgpass are not read)',
    );
  };

  /** Its listeners come before those that the client adds when it connects. */
  watch({ connection }: pg.Client): void {
    const { loginAfter } = this.#options;
    if (loginAfter !== undefined) proveAfter(connection, loginAfter);
    const note = (method: AuthMethod) => (): void => {
      this.#asked = method;
    };
    connection.on('authenticationCleartextPassword', note('password'));
    connection.on('authenticationMD5Password', note('md5'));
    connection.on('authenticationSASL', note('scram-sha-256'));
    connection.on('authenticationSASLFinal', () => {
      this.#isProved = true;
    });
    connection.on('authenticationOk', () => {
      try {
        this.#assertAllowed();
        if (this.#asked === 'scram-sha-256' && !this.#isProved)
          throw new AuthenticationRefusedError('the server did not prove that it knows the password');
      } catch (error) {
        connection.emit('error', error);
      }
    });
  }

  #assertAllowed(): void {
    const { allowed } = this.#options;
    if (allowed.has(this.#asked)) return;
    const what =
      this.#asked === 'none' ? 'asks for no password' : `asks for the password by "${this.#asked}"`;
    throw new AuthenticationRefusedError(
      `the server ${what}, and require_auth allows ${[...allowed].join(',')}`,
    );
  }
}

/** What the driver calls when it has computed the proof; its types do not declare it. */
interface ScramConnection {
  sendSCRAMClientFinalMessage(proof: string): void;
}

/**
 * Holds the last message of SCRAM back until `moment`. What comes before it, and thousands of rounds of hashing, are done
 * by then. The server checks the proof, and looks for the database after that.
 */
const proveAfter = (connection: pg.Connection, moment: Promise<unknown>): void => {
  const scram = connection as unknown as ScramConnection;
  const send = scram.sendSCRAMClientFinalMessage.bind(connection);
  scram.sendSCRAMClientFinalMessage = (proof) => {
    moment.then(() => send(proof)).catch((error: unknown) => connection.emit('error', error));
  };
};
