import pg, { type ClientConfig } from 'pg';
import { applicationNameOf } from './connection-names.ts';
import type { ConnectionOptions } from './connection-options.ts';
import { TargetSessionError } from './postgres-errors.ts';
import { targetMismatch, type SessionTarget } from './session-target.ts';

/** The client stops waiting this much later than the server's deadline, so that the server's error comes first. */
const ANSWER_MARGIN_MS = 1000;

/** Makes the driver's client for one server, with the options' name and deadlines. Opens no socket. */
export const createClient = (server: ClientConfig, options: ConnectionOptions): pg.Client => {
  const {
    statementTimeoutMs = 0,
    lockTimeoutMs = 0,
    idleInTransactionTimeoutMs = 0,
  } = options.deadlines ?? {};
  const { loginAfter, answerTimeoutMs = statementTimeoutMs > 0 ? statementTimeoutMs + ANSWER_MARGIN_MS : 0 } =
    options;
  const { password } = server;
  return new pg.Client({
    ...server,
    ...(loginAfter !== undefined &&
      typeof password === 'string' && { password: () => loginAfter.then(() => password) }),
    application_name: applicationNameOf(server.application_name, options.applicationName),
    connectionTimeoutMillis: options.connectTimeoutMs,
    keepAlive: true,
    // The driver sends no deadline that is 0.
    statement_timeout: statementTimeoutMs,
    lock_timeout: lockTimeoutMs,
    idle_in_transaction_session_timeout: idleInTransactionTimeoutMs,
    ...(answerTimeoutMs > 0 && { query_timeout: answerTimeoutMs }),
  });
};

/**
 * Connects the client and logs in. A rejection may leave the socket open, so the caller ends the client: a server can
 * accept a connection and stay silent.
 *
 * @throws {TargetSessionError} when the server is not of the kind that the target asks for
 */
export const logIn = async (client: pg.Client, target: SessionTarget): Promise<void> => {
  const reported = new Map<string, string>();
  const note = (status: { parameterName: string; parameterValue: string }): void => {
    reported.set(status.parameterName, status.parameterValue);
  };
  client.connection.on('parameterStatus', note);
  await client.connect();
  client.connection.off('parameterStatus', note);
  const problem = targetMismatch(target, reported);
  if (problem !== null) throw new TargetSessionError(problem);
};
