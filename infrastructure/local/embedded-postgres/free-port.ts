import { once } from 'node:events';
import { createServer } from 'node:net';

/** The port, or one the system picks for 0, when it is free on 127.0.0.1; undefined when it is not. */
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

/** The preferred port if it is free on 127.0.0.1, else any free one. Somebody may still take it before its use. */
export const findFreePort = async (preferred: number | undefined): Promise<number> => {
  const port = (preferred !== undefined && (await probePort(preferred))) || (await probePort(0));
  if (port === undefined) throw new Error('127.0.0.1 has no free port');
  return port;
};
