/** `npm run bench [-- NAME …]`: figures beside the floors that the same run measures. Never fails for being slow. */
import { withDurableServer } from './durable-server.ts';
import { clones, firstRequests, spares, storm } from './provisioning.ts';
import { formatTable, print, type Line } from './table.ts';

const BENCHMARKS: Readonly<Record<string, (serverUrl: string) => Promise<readonly Line[]>>> = {
  spares,
  clones,
  'first-requests': firstRequests,
  storm,
};

const asked = process.argv.slice(2);
const names = asked.length > 0 ? asked : Object.keys(BENCHMARKS);
const lines: Line[] = [];
for (const name of names) {
  const benchmark = BENCHMARKS[name];
  if (benchmark === undefined) throw new Error(`no benchmark ${name}: ${Object.keys(BENCHMARKS).join(', ')}`);
  print(`${name} …`);
  await withDurableServer(async (serverUrl) => void lines.push(...(await benchmark(serverUrl))));
}
print(formatTable(lines));
