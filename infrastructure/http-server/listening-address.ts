import { createServer } from 'node:http';
import ipaddr from 'ipaddr.js';

/** The part of a URL that reaches a server on this host from this machine: one that listens on all addresses, by loopback. */
export const urlHost = (host: string): string => {
  if (!ipaddr.isValid(host)) return host;
  const address = ipaddr.parse(host);
  const isIpv6 = address.kind() === 'ipv6';
  if (address.range() === 'unspecified') return isIpv6 ? '[::1]' : '127.0.0.1';
  return isIpv6 ? `[${host}]` : host;
};

/** Whether only programs on this machine reach a server that listens on the host. A name other than `localhost` may be any. */
export const isLoopback = (host: string): boolean =>
  ipaddr.isValid(host) ? ipaddr.process(host).range() === 'loopback' : host.toLowerCase() === 'localhost';

/**
 * Rejects when the address cannot be bound, before anything else is started. The port is free again when it resolves.
 *
 * @throws {Error} that names the variables
 */
export const assertFreeAddress = async (host: string, port: number): Promise<void> => {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(addressError(host, port, error)));
    server.listen(port, host, () => server.close(() => resolve()));
  });
};

/** Says which variables hold the address that cannot be listened on. */
export const addressError = (host: string, port: number, cause: Error): Error =>
  new Error(`HOST holds ${host} and PORT ${port}: ${cause.message}`, { cause });
