import type { DatabaseUrl } from './database-url.ts';

export interface ConnectionOptions {
  readonly url: DatabaseUrl;
  readonly applicationName: string;
  /** Covers all servers of the URL together. */
  readonly connectTimeoutMs: number;
  /** The login proves its password after this promise, so the server looks for the database no earlier. Optional. */
  readonly loginAfter?: Promise<unknown> | undefined;
  /**
   * The URL may lead to a connection pooler, in session mode. False: it has to lead to the server itself, as sessions
   * need that administer, hold locks or listen. Default: false. Decision 0038.
   */
  readonly throughPooler?: boolean;
  /** Default: the server's own settings. */
  readonly deadlines?: Partial<Deadlines>;
  /**
   * The client stops waiting for an answer after this time; 0 is for ever. Default: one second after
   * `statementTimeoutMs`, because the server's deadline does not reach a client whose network is silent. Set it for
   * texts of several statements: the server limits each of them, the client the whole text.
   */
  readonly answerTimeoutMs?: number;
  /** Sees what `execute` runs. Default: null. */
  readonly observer?: StatementObserver | null;
}

/** The server gives up after these times. 0 leaves one to the server's own settings. */
export interface Deadlines {
  readonly statementTimeoutMs: number;
  readonly lockTimeoutMs: number;
  readonly idleInTransactionTimeoutMs: number;
}

/** Sees the statements that a connection runs as text. */
export interface StatementObserver {
  /** Calls `run`, which sends the statement, and settles as `run` does. */
  around<Result>(text: string, run: () => Promise<Result>): Promise<Result>;
}
