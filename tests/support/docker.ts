import { request } from 'node:http';
import type { RequestOptions } from 'node:http';

const PING_TIMEOUT_MS = 1_000;
const DEFAULT_SOCKET = '/var/run/docker.sock';

const dockerEndpoint = (dockerHost: string | undefined): RequestOptions | undefined => {
  if (!dockerHost) return { socketPath: DEFAULT_SOCKET };
  if (!URL.canParse(dockerHost)) return undefined;
  const url = new URL(dockerHost);
  if (url.protocol === 'unix:') return { socketPath: url.pathname };
  if (url.protocol === 'tcp:' || url.protocol === 'http:') return { host: url.hostname, port: url.port };
  return undefined;
};

/** Whether a Docker daemon answers within a second; asked without loading testcontainers, which takes longer. */
export const dockerAnswers = (dockerHost: string | undefined): Promise<boolean> => {
  const endpoint = dockerEndpoint(dockerHost);
  if (!endpoint) return Promise.resolve(false);
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(PING_TIMEOUT_MS);
    const ping = request({ ...endpoint, path: '/_ping', agent: false, signal }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    ping.on('error', () => resolve(false));
    ping.end();
  });
};
