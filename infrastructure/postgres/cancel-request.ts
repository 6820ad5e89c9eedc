import pg from 'pg';

const DEADLINE_MS = 2000;

/** What a session is cancelled by: its server's address, its TLS options, and the key that the server gave it. */
export interface CancelKey {
  readonly host: string;
  readonly port: number;
  /** The session's own; false: it runs without TLS. */
  readonly ssl: pg.ClientConfig['ssl'];
  readonly sslNegotiation: string;
  readonly processID: number;
  readonly secretKey: number;
}

/** The driver's connection, with the parts that its types leave out. */
interface RequestConnection extends pg.Connection {
  connect(portOrPath: number | string, host?: string): void;
  requestSsl(): void;
  cancel(processId: number, secretKey: number): void;
}

/**
 * Asks a server to cancel the statement that one backend runs. Opens a connection for the request alone, with TLS where
 * the session has it: whoever reads the key may cancel the session's statements. Never throws. The protocol defines no
 * answer, and a lost request is harmless: the statement ends at its own deadline.
 */
export const sendCancelRequest = ({
  host,
  port,
  ssl,
  sslNegotiation,
  processID,
  secretKey,
}: CancelKey): void => {
  // The driver's types know neither the options nor the methods.
  const connection = new pg.Connection({ ssl, sslNegotiation } as object) as RequestConnection;
  const giveUp = (): void => void connection.stream.destroy();
  // The server closes the connection. A pooler drops the request when the client closes it first.
  const send = (): void => connection.cancel(processID, secretKey);
  connection.on('error', giveUp);
  connection.on('sslconnect', send);
  connection.on('connect', () => {
    if (ssl === false || ssl === undefined) send();
    else if (sslNegotiation !== 'direct') connection.requestSsl();
  });
  const deadline = setTimeout(giveUp, DEADLINE_MS).unref();
  connection.on('end', () => clearTimeout(deadline));
  if (host.startsWith('/')) connection.connect(`${host}/.s.PGSQL.${port}`);
  else connection.connect(port, host);
};
