import { connect } from 'node:net';

const CANCEL_REQUEST_CODE = 80_877_102;
const DEADLINE_MS = 2000;

/**
 * Asks a server to cancel the statement that one backend runs. Opens a separate connection for the request: the
 * protocol needs neither login nor TLS for it, and defines no answer. Never throws.
 */
export const sendCancelRequest = (host: string, port: number, processId: number, secretKey: number): void => {
  const packet = Buffer.alloc(16);
  packet.writeInt32BE(packet.length, 0);
  packet.writeInt32BE(CANCEL_REQUEST_CODE, 4);
  packet.writeInt32BE(processId, 8);
  packet.writeInt32BE(secretKey, 12);
  const socket = connect(host.startsWith('/') ? { path: `${host}/.s.PGSQL.${port}` } : { host, port });
  socket.setTimeout(DEADLINE_MS, () => socket.destroy());
  // A lost request is harmless: the statement ends at its own deadline.
  socket.on('error', () => socket.destroy());
  socket.end(packet);
};
