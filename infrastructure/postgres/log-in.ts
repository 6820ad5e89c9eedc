import pg, { type ClientConfig } from 'pg';
import { defaultAuthMethods } from './auth-methods.ts';
import { applicationNameOf } from './connection-names.ts';
import type { ConnectionOptions } from './connection-options.ts';
import { LoginGuard } from './login-guard.ts';
import { isStartupRefusal, PooledSessionError, TargetSessionError } from './postgres-errors.ts';
import { FIXED_SETTINGS, settingsOf, type SessionSettings } from './session-settings.ts';
import { targetMismatch, type SessionTarget } from './session-target.ts';

/** The client stops waiting this much later than the server's deadline, so that the server's error comes first. */
const ANSWER_MARGIN_MS = 1000;

/** A client that sends exactly these startup parameters: the driver would add what the environment says (PGOPTIONS). */
class SessionClient extends pg.Client {
  readonly #startup: SessionSettings;

  constructor(config: ClientConfig, startup: SessionSettings) {
    super(config);
    this.#startup = startup;
  }

  /** The driver calls it at login. */
  getStartupConf(): SessionSettings {
    return this.#startup;
  }
}

/** The settings of a session: those that answers depend on, and its deadlines. */
export const sessionSettings = ({ deadlines = {} }: ConnectionOptions): SessionSettings => ({
  ...settingsOf(deadlines),
  ...FIXED_SETTINGS,
});

/** How long the client waits for the answer to one statement; 0 is for ever. */
export const answerTimeoutOf = ({ answerTimeoutMs, deadlines = {} }: ConnectionOptions): number => {
  const { statementTimeoutMs = 0 } = deadlines;
  return answerTimeoutMs ?? (statementTimeoutMs > 0 ? statementTimeoutMs + ANSWER_MARGIN_MS : 0);
};

/** Makes the driver's client for one server, with the options' name and deadlines. Opens no socket. */
export const createClient = (server: ClientConfig, options: ConnectionOptions): pg.Client => {
  const { loginAfter, throughPooler = false } = options;
  const answerTimeoutMs = answerTimeoutOf(options);
  const { user = '', database = '', password, ssl } = server;
  const guard = new LoginGuard({
    allowed: options.url.authMethods ?? defaultAuthMethods({ isServerVerified: isVerified(ssl) }),
    password: typeof password === 'string' ? password : '',
    loginAfter,
  });
  const client = new SessionClient(
    {
      ...server,
      password: guard.answer,
      client_encoding: 'utf8',
      connectionTimeoutMillis: options.connectTimeoutMs,
      keepAlive: true,
      ...(answerTimeoutMs > 0 && { query_timeout: answerTimeoutMs }),
    },
    {
      user,
      database,
      application_name: applicationNameOf(server.application_name, options.applicationName),
      ...(server.options !== undefined && { options: server.options }),
      // A pooler refuses or ignores most parameters: the session is set up after the login.
      ...(!throughPooler && sessionSettings(options)),
    },
  );
  guard.watch(client);
  return client;
};

/** Whether the certificate proves which server it is, by the rules that the driver gives to Node. */
const isVerified = (ssl: ClientConfig['ssl']): boolean =>
  ssl === true || (typeof ssl === 'object' && ssl.rejectUnauthorized !== false);

/**
 * Connects the client and logs in. A rejection may leave the socket open, so the caller ends the client: a server can
 * accept a connection and stay silent.
 *
 * @throws {TargetSessionError} when the server is not of the kind that the target asks for
 * @throws {PooledSessionError} when a pooler refuses the startup parameters
 */
export const logIn = async (client: pg.Client, target: SessionTarget): Promise<void> => {
  const reported = new Map<string, string>();
  const note = (status: { parameterName: string; parameterValue: string }): void => {
    reported.set(status.parameterName, status.parameterValue);
  };
  client.connection.on('parameterStatus', note);
  try {
    await client.connect();
  } catch (error) {
    throw isStartupRefusal(error) ? new PooledSessionError('unnamed', { cause: error }) : error;
  }
  client.connection.off('parameterStatus', note);
  const problem = targetMismatch(target, reported);
  if (problem !== null) throw new TargetSessionError(problem);
};
