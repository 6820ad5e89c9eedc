import type { Config } from '../../infrastructure/config/config.ts';

const DEADLINE_MS = 2000;

/**
 * The address of a service of this deployment that answers on HOST:PORT; null when nothing does, or something that
 * does not take our operator's token.
 */
export const findService = async ({ http }: Config, operatorToken: string): Promise<string | null> => {
  if (http.port === 0) return null;
  const url = `http://${reachable(http.host)}:${http.port}`;
  try {
    const response = await fetch(`${url}/organizations?limit=1`, {
      headers: { Authorization: `Bearer ${operatorToken}` },
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    await response.arrayBuffer();
    return response.status === 200 ? url : null;
  } catch {
    return null;
  }
};

/** Who listens on all addresses answers on this machine's own. */
const reachable = (host: string): string => {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
};
