import { once } from 'node:events';
import { createServer } from 'node:net';

/** Returns the port if it is free on 127.0.0.1, and undefined if not. For 0 it returns a port that the system picks. */
const probePort = async (port: number): Promise<number | undefined> => {
  const server = createServer();
  try {
    server.listen({ port, host: '127.0.0.1', exclusive: true });
    await once(server, 'listening');
    const address = server.address();
    return typeof address === 'object' && address ? address.port : undefined;
  } catch {
    return undefined;
  } finally {
    server.close();
  }
};

/** Returns the preferred port if it is free on 127.0.0.1, otherwise any free one. It is not reserved. */
export const findFreePort = async (preferred: number | undefined): Promise<number> => {
  const port = (preferred !== undefined && (await probePort(preferred))) || (await probePort(0));
  if (port === undefined) throw new Error('127.0.0.1 has no free port');
  return port;
};
