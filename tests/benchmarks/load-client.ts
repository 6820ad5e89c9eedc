/** The program of a load client: runs one task after another that its parent sends. */
import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadRequest, LoadResult, LoadTask } from './load.ts';

// Hangs up before the service does, which would do it while a request is on its way.
const agent = new Agent({ keepAlive: true, timeout: 3000 });

const send = (url: URL, { method, path, token, body, keyed = false }: LoadRequest): Promise<string | null> =>
  new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${token}`,
      ...(body !== undefined && {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
      }),
      ...(keyed && { 'idempotency-key': randomUUID() }),
    };
    const sent = request(
      { hostname: url.hostname, port: url.port, agent, method, path, headers },
      (response) => {
        const { statusCode = 0 } = response;
        let text = '';
        response.on('data', (chunk: Buffer) => {
          if (statusCode >= 300) text += chunk.toString();
        });
        response.on('end', () => resolve(statusCode < 300 ? null : `${statusCode} ${path} ${text}`));
        response.on('error', reject);
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });

let stopped = false;

const run = async ({ url, requests, mode }: LoadTask): Promise<LoadResult> => {
  const target = new URL(url);
  const latencies: number[] = [];
  const failures: string[] = [];
  const measure = async (index: number): Promise<void> => {
    const one = requests[index % requests.length];
    if (one === undefined) throw new Error('a task without requests');
    const startedAt = performance.now();
    const failure = await send(target, one);
    latencies.push(performance.now() - startedAt);
    if (failure !== null) failures.push(failure);
  };
  if (mode.kind === 'burst') {
    await Promise.all(requests.map((_, index) => measure(index)));
  } else if (mode.kind === 'closed') {
    let next = 0;
    const lane = async (): Promise<void> => {
      while (next < mode.total) await measure(next++);
    };
    await Promise.all(Array.from({ length: mode.concurrency }, lane));
  } else {
    const startedAt = performance.now();
    const sent: Promise<void>[] = [];
    for (let index = 0; !stopped; index += 1) {
      const early = startedAt + (index * 1000) / mode.perSecond - performance.now();
      if (early > 0) await sleep(early);
      // Not awaited: a slow answer does not spare the service the next request.
      sent.push(measure(index));
    }
    await Promise.all(sent);
  }
  return { latencies, failures };
};

process.on('message', (message: LoadTask | 'stop') => {
  if (message === 'stop') {
    stopped = true;
    return;
  }
  stopped = false;
  run(message).then(
    (result) => process.send?.(result),
    (error: unknown) => process.send?.({ latencies: [], failures: [String(error)] }),
  );
});
