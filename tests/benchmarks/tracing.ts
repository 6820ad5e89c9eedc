import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createDeployment } from '../support/deployment.ts';
import { LoadClient } from './load.ts';
import { cpuPerRequest, prepare, SERVICE, WARM_UP } from './request-path.ts';
import { ServerProcess, type ServerStart } from './server-process.ts';
import { interleave, median } from './statistics.ts';
import { print, type Line } from './table.ts';

const ORGANIZATIONS = 15;
/** The limits are small, and two processes of the same code differ by more: the median of several counts. */
const PROCESSES = 3;
const ROUNDS = 15;

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
  const variants: Readonly<Record<string, Omit<ServerStart, 'kind'>>> = {
    off: { environment },
    tenth: { environment: sampled },
    ...(before !== undefined && { before: { environment, checkout: before } }),
  };
  const client = new LoadClient();
  const servers = new Map<string, ServerProcess>();
  try {
    for (const [variant, settings] of Object.entries(variants))
      for (let process = 1; process <= PROCESSES; process += 1)
        servers.set(`${variant} ${process}`, await ServerProcess.start({ kind: 'service', ...settings }));
    for (const server of servers.values()) await cpuPerRequest(server, client, gets, WARM_UP);
    const measures = Object.fromEntries(
      Array.from(servers, ([name, server]) => [name, () => cpuPerRequest(server, client, gets)]),
    );
    const series = await interleave(ROUNDS, measures);
    const of = (variant: string): number =>
      median(
        Object.entries(series)
          .filter(([name]) => name.startsWith(variant))
          .map(([, samples]) => median(samples)),
      );
    for (const [name, samples] of Object.entries(series))
      print(`  ${name}: ${median(samples).toFixed(1)} µs`);
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
    await Promise.all(Array.from(servers.values(), (server) => server.close()));
    collector.close();
    await deployment.stop();
  }
};
