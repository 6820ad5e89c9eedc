/** The address that one server listens on. */
export interface ServerAddress {
  /** A host name, an IP address or a socket folder; empty: `localhost`. */
  readonly host: string;
  /** Null: 5432. */
  readonly port: number | null;
}

const MAX_PORT = 65_535;

/**
 * Pairs hosts and ports as libpq does: one port for each host, or one port for all.
 *
 * @param ports as text; an empty one means the default port
 * @returns the addresses, or a sentence that says why they cannot be paired
 */
export const pairAddresses = (
  hosts: readonly string[],
  ports: readonly string[],
): readonly ServerAddress[] | string => {
  if (hosts.length > 1 && hosts.includes('')) return 'one of its hosts is empty';
  if (hosts.some((host) => host.includes(','))) return 'one of its hosts holds a comma';
  if (ports.some((port) => port !== '' && !isPort(port))) return 'its port must be a number';
  if (ports.length !== 1 && ports.length !== hosts.length) {
    return `it names ${hosts.length} hosts and ${ports.length} ports: one for each is needed, or one for all`;
  }
  return hosts.map((host, index) => {
    const port = ports[index] ?? ports[0] ?? '';
    return { host, port: port === '' ? null : Number(port) };
  });
};

const isPort = (text: string): boolean => /^\d{1,5}$/.test(text) && Number(text) <= MAX_PORT;
