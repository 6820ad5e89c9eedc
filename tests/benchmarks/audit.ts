/** What it costs a POST to leave its audit entry in the same transaction. Run: `node --import tsx tests/benchmarks/audit.ts` */
import { Agent } from 'node:http';
import { fileURLToPath } from 'node:url';
import type { Container } from 'inversify';
import { createResultsDatabase } from '../../adapters/knex/results/knex-results-database.ts';
import type { SqlDatabase, SqlQuery } from '../../adapters/knex/statement.ts';
import { resultsDatabaseBuilder } from '../../infrastructure/composition/observed-databases.ts';
import { startAuditCarrier } from '../../infrastructure/composition/start-audit-carrier.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { listen, type ListeningServer } from '../../infrastructure/lifecycle/http-server.ts';
import { replaceManager } from '../support/custom-manager.ts';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import { send } from '../support/http-service.ts';
import { stopSharedTestServer } from '../support/postgres-server.ts';

interface Line {
  readonly measure: string;
  readonly ours: number;
  readonly floor: number;
  readonly unit: 'ms' | 'µs';
  readonly limit: { readonly kind: 'at most'; readonly ratio: number };
}

type Variant = 'plain' | 'noted' | 'carried';

const ROUNDS = 12;
const ONE_BY_ONE = 150;
const AT_ONCE = 16;
const TOGETHER = 480;
const LIMIT = { kind: 'at most', ratio: 1.25 } as const;

/** The same insert without its entry: what stands before the second table expression, with the values it names. */
const withoutNote = <Row>(query: SqlQuery<Row>): SqlQuery<Row> => {
  if (query.isNoted !== true) return query;
  const text = query.text.slice('with written as ('.length, query.text.indexOf('), noted as ('));
  const places = Array.from(text.matchAll(/\$(\d+)/g), ([, place]) => Number(place));
  return { ...query, name: `${query.name}_plain`, text, values: query.values.slice(0, Math.max(...places)) };
};

const plainDatabase = (database: SqlDatabase): SqlDatabase => ({
  query: (query) => database.query(withoutNote(query)),
  transaction: (work) => database.transaction(work),
});

interface Contender {
  readonly server: ListeningServer;
  /** Milliseconds of `count` requests, `atOnce` at a time. */
  post(count: number, atOnce: number): Promise<number>;
  close(): Promise<void>;
}

const startContender = async (deployment: Deployment, variant: Variant): Promise<Contender> => {
  const container: Container = deployment.start();
  const build = resultsDatabaseBuilder(
    container.get(TOKENS.config),
    container.get(TOKENS.auditCarrier),
    container.get(TOKENS.logger),
  );
  replaceManager(
    container,
    {},
    {
      buildResultsDatabase: (database, organizationId) =>
        variant === 'plain'
          ? createResultsDatabase(plainDatabase(database))
          : build(database, organizationId),
    },
  );
  const carrier = variant === 'carried' ? startAuditCarrier(container) : null;
  const server = await listen(deployment.app(container), '127.0.0.1', 0, { answerClientError: () => '' });
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  const token = deployment.token(variant, ['member']);
  const body = {
    engine: 'vina',
    inputs: { ligand: 'imatinib', receptor: '1IEP' },
    params: { exhaustiveness: 8 },
  };
  const postOne = async (): Promise<void> => {
    const { status, text } = await send(server.url, 'POST', '/jobs', { token, body }, agent);
    if (status !== 201) throw new Error(`a request failed: ${status} ${text}`);
  };
  return {
    server,
    post: async (count, atOnce) => {
      let left = count;
      const client = async (): Promise<void> => {
        while ((left -= 1) >= 0) await postOne();
      };
      const startedAt = performance.now();
      await Promise.all(Array.from({ length: atOnce }, client));
      return performance.now() - startedAt;
    },
    close: async () => {
      agent.destroy();
      await server.close();
      await carrier?.close();
    },
  };
};

const median = (samples: readonly number[]): number =>
  samples.toSorted((a, b) => a - b)[Math.floor(samples.length / 2)] ?? Number.NaN;

/**
 * POST by POST and sixteen at a time, on the server of the tests, which flushes nothing to disk: with a disk to wait
 * for, the ratios are nearer to one. `carried` also has the carrier at work, in the same process and on the same cores.
 */
export const audit = async (): Promise<readonly Line[]> => {
  const deployment = await createDeployment();
  // An organization each: nobody carries what another one writes.
  await deployment.register(...VARIANTS);
  const contenders: Partial<Record<Variant, Contender>> = {};
  try {
    const samples = { plain: empty(), noted: empty(), carried: empty() };
    // The first round warms up.
    for (let round = 0; round <= ROUNDS; round += 1) {
      for (const variant of round % 2 === 0 ? VARIANTS : VARIANTS.toReversed()) {
        const contender = (contenders[variant] ??= await startContender(deployment, variant));
        const alone = (await contender.post(ONE_BY_ONE, 1)) / ONE_BY_ONE;
        const together = (await contender.post(TOGETHER, AT_ONCE)) / TOGETHER;
        if (round === 0) continue;
        samples[variant].alone.push(alone);
        samples[variant].together.push(together);
      }
    }
    const { plain, noted, carried } = samples;
    const line = (measure: string, ours: readonly number[], floor: readonly number[]): Line => ({
      measure,
      ours: median(ours) * 1000,
      floor: median(floor) * 1000,
      unit: 'µs',
      limit: LIMIT,
    });
    return [
      line('POST with its audit entry / without, one by one', noted.alone, plain.alone),
      line(`POST with its audit entry / without, ${AT_ONCE} at once`, noted.together, plain.together),
      line('… and carried to the metadata, one by one', carried.alone, plain.alone),
      line(`… and carried to the metadata, ${AT_ONCE} at once`, carried.together, plain.together),
    ];
  } finally {
    for (const contender of Object.values(contenders)) await contender.close();
    await deployment.dispose();
  }
};

const VARIANTS: readonly Variant[] = ['plain', 'noted', 'carried'];

const empty = (): { readonly alone: number[]; readonly together: number[] } => ({ alone: [], together: [] });

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const { measure, ours, floor, unit, limit } of await audit()) {
    const ratio = ours / floor;
    const verdict = ratio <= limit.ratio ? 'holds' : 'MISSED';
    process.stdout.write(
      `${measure.padEnd(52)} ${ours.toFixed(0)} ${unit} / ${floor.toFixed(0)} ${unit} = ${ratio.toFixed(2)}  (≤ ${limit.ratio})  ${verdict}\n`,
    );
  }
  await stopSharedTestServer();
}
