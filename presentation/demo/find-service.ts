const TIMEOUT_MS = 2000;

/**
 * Finds a running service of this deployment.
 *
 * @param address `host` as in a URL that reaches the service from here; port 0 stands for any free port
 * @returns its URL; null when nothing answers there, or when what answers refuses the deployment's operator token
 */
export const findService = async (
  { host, port }: { readonly host: string; readonly port: number },
  operatorToken: string,
): Promise<string | null> => {
  if (port === 0) return null;
  const url = `http://${host}:${port}`;
  try {
    const response = await fetch(`${url}/organizations?limit=1`, {
      headers: { Authorization: `Bearer ${operatorToken}` },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    await response.arrayBuffer();
    return response.status === 200 ? url : null;
  } catch {
    return null;
  }
};
