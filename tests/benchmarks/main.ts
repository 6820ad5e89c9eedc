/** `npm run bench [-- NAME …]`: figures beside the floors that the same run measures. Never fails for being slow. */
import { execFileSync } from 'node:child_process';
import { audit } from './audit.ts';
import { batches, rankings } from './campaigns.ts';
import { consolePages } from './console.ts';
import { claims, leases } from './claims.ts';
import { clones, firstRequests, spares, storm } from './provisioning.ts';
import { fleetOfProcesses } from './fleet-of-processes.ts';
import { million } from './million.ts';
import { budget, fairness, visits } from './pools.ts';
import { organizations, requests } from './request-path.ts';
import { withServer } from './servers.ts';
import { servers } from './two-servers.ts';
import { sizing } from './sizing.ts';
import { tracing } from './tracing.ts';
import { work } from './work.ts';
import { files } from './files.ts';
import { formatTable, print, type Line } from './table.ts';

interface Benchmark {
  /** Whether the database server flushes every commit to disk. */
  readonly durable: boolean;
  readonly run: (serverUrl: string) => Promise<readonly Line[]>;
}

const BENCHMARKS: Readonly<Record<string, Benchmark>> = {
  spares: { durable: true, run: spares },
  clones: { durable: true, run: clones },
  'first-requests': { durable: true, run: firstRequests },
  storm: { durable: true, run: storm },
  requests: { durable: false, run: requests },
  organizations: { durable: false, run: organizations },
  audit: { durable: false, run: audit },
  budget: { durable: false, run: budget },
  fairness: { durable: false, run: fairness },
  visits: { durable: false, run: visits },
  servers: { durable: false, run: servers },
  work: { durable: false, run: work },
  rankings: { durable: false, run: rankings },
  batches: { durable: false, run: batches },
  files: { durable: false, run: files },
  claims: { durable: true, run: claims },
  'claims-in-memory': { durable: false, run: claims },
  leases: { durable: false, run: leases },
  'fleet-of-processes': { durable: false, run: fleetOfProcesses },
  console: { durable: false, run: consolePages },
  tracing: { durable: false, run: tracing },
  sizing: { durable: true, run: sizing },
  million: { durable: false, run: million },
};

const known = Object.keys(BENCHMARKS);
const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !Object.hasOwn(BENCHMARKS, name));

if (unknown.length > 0) {
  process.stderr.write(`There is no benchmark ${unknown.join(', ')}. There are: ${known.join(', ')}.\n`);
  process.exitCode = 1;
} else {
  // The service is measured as it is shipped.
  execFileSync('npm', ['run', 'build'], { stdio: 'inherit' });
  const lines: Line[] = [];
  for (const name of asked.length > 0 ? asked : known) {
    // One of the names above.
    const { durable, run } = BENCHMARKS[name] as Benchmark;
    print(`${name} …`);
    await withServer(durable, async (url) => void lines.push(...(await run(url))));
  }
  if (lines.length > 0) print(formatTable(lines));
}
