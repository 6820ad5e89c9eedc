import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createDeployment } from '../support/deployment.ts';
import { LoadClient } from './load.ts';
import { cpuPerRequest, prepare, SERVICE, WARM_UP } from './request-path.ts';
import { ServerProcess } from './server-process.ts';
import { interleave, median } from './statistics.ts';
import { print, type Line } from './table.ts';

const ORGANIZATIONS = 50;
/** The limits are small, so more rounds than elsewhere. */
const ROUNDS = 40;

/** Takes what it is sent, and forgets it. */
const startCollector = async () => {
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(200).end('{}'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A TCP server that listens has such an address.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
};

/**
 * What tracing costs a GET: at a sample of a tenth, over the same service with tracing off. With `BENCH_BEFORE`, the folder of a
 * built checkout of the commit before tracing came, also what it costs while it is off.
 */
export const tracing = async (serverUrl: string): Promise<readonly Line[]> => {
  const before = process.env['BENCH_BEFORE'];
  const deployment = await createDeployment({}, { url: serverUrl });
  const gets = await prepare(deployment, ORGANIZATIONS);
  const collector = await startCollector();
  // Each process has a connection to each database.
  const environment = { ...deployment.environment, ...SERVICE, DB_CONNECTION_BUDGET: '400' };
  const sampled = {
    ...environment,
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
    OTEL_TRACES_SAMPLER_ARG: '0.1',
  };
  const client = new LoadClient();
  const servers = {
    off: await ServerProcess.start({ kind: 'service', environment }),
    tenth: await ServerProcess.start({ kind: 'service', environment: sampled }),
    ...(before !== undefined && {
      before: await ServerProcess.start({ kind: 'service', environment, checkout: before }),
    }),
  };
  try {
    for (const server of Object.values(servers)) await cpuPerRequest(server, client, gets, WARM_UP);
    const measures = Object.fromEntries(
      Object.entries(servers).map(([name, server]) => [name, () => cpuPerRequest(server, client, gets)]),
    );
    const series = await interleave(ROUNDS, measures);
    const of = (name: keyof typeof servers): number => median(series[name] ?? []);
    if (before === undefined)
      print('  without BENCH_BEFORE, what tracing costs while it is off is not measured');
    return [
      {
        measure: 'CPU of a GET with a tenth of the requests traced, over tracing off',
        ours: of('tenth'),
        floor: of('off'),
        unit: 'µs',
        limit: { kind: 'at most', ratio: 1.05 },
      },
      ...(before === undefined
        ? []
        : [
            {
              measure: 'CPU of a GET with tracing off, over the commit before it came',
              ours: of('off'),
              floor: of('before'),
              unit: 'µs',
              limit: { kind: 'at most', ratio: 1.01 },
            } as const,
          ]),
    ];
  } finally {
    client.close();
    await Promise.all(Object.values(servers).map((server) => server.close()));
    collector.close();
    await deployment.stop();
  }
};
