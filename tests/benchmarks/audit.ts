import { Agent } from 'node:http';
import type { Container } from 'inversify';
import { KnexResultsDatabase } from '../../adapters/knex/results/knex-results-database.ts';
import type { SqlDatabase, SqlQuery } from '../../adapters/knex/statement.ts';
import { resultsDatabaseBuilder } from '../../infrastructure/composition/observed-databases.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { listen } from '../../infrastructure/http-server/http-server.ts';
import { replaceManager } from '../support/custom-manager.ts';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import { send } from '../support/send.ts';
import { interleave, median } from './statistics.ts';
import type { Line } from './table.ts';

const VARIANTS = ['plain', 'noted', 'relayed'] as const;
type Variant = (typeof VARIANTS)[number];

const ROUNDS = 12;
const ONE_BY_ONE = 150;
const AT_ONCE = 16;
const TOGETHER = 480;
const LIMIT = { kind: 'at most', ratio: 1.25 } as const;

/** The same insert without its entry: what stands before the second table expression, with the values it names. */
const withoutNote = <Row>(query: SqlQuery<Row>): SqlQuery<Row> => {
  if (query.isAudited !== true) return query;
  const text = query.text.slice('with written as ('.length, query.text.indexOf('), audited as ('));
  const places = Array.from(text.matchAll(/\$(\d+)/g), ([, place]) => Number(place));
  return { ...query, name: `${query.name}_plain`, text, values: query.values.slice(0, Math.max(...places)) };
};

const plainDatabase = (database: SqlDatabase): SqlDatabase => ({
  query: (query) => database.query(withoutNote(query)),
  transaction: (work) => database.transaction(work),
});

interface Contender {
  /** Milliseconds of `count` requests, `atOnce` at a time. */
  post(count: number, atOnce: number): Promise<number>;
  close(): Promise<void>;
}

const startContender = async (deployment: Deployment, variant: Variant): Promise<Contender> => {
  const container: Container = deployment.start();
  const build = resultsDatabaseBuilder(
    container.get(TOKENS.config),
    container.get(TOKENS.writeAnnouncements),
    container.get(TOKENS.logger),
  );
  replaceManager(
    container,
    {},
    {
      buildResultsDatabase: (database, organizationId) =>
        variant === 'plain'
          ? new KnexResultsDatabase(plainDatabase(database))
          : build(database, organizationId),
    },
  );
  const relay = variant === 'relayed' ? container.get(TOKENS.outboxRelay) : null;
  relay?.start();
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
      await relay?.close();
    },
  };
};

/**
 * What it costs a POST to leave its audit entry in the same transaction, one by one and sixteen at once. `relayed` also
 * has the relay at work, in the same process and on the same cores.
 */
export const audit = async (serverUrl: string): Promise<readonly Line[]> => {
  const deployment = await createDeployment({}, { url: serverUrl });
  // An organization each: nobody relays what another one writes.
  await deployment.register(...VARIANTS);
  const [plain, noted, relayed] = await Promise.all(
    VARIANTS.map((variant) => startContender(deployment, variant)),
  );
  if (plain === undefined || noted === undefined || relayed === undefined)
    throw new Error('nobody to measure');
  try {
    const lines: Line[] = [];
    for (const [count, atOnce] of [
      [ONE_BY_ONE, 1],
      [TOGETHER, AT_ONCE],
    ] as const) {
      const measure =
        ({ post }: Contender) =>
        async () =>
          ((await post(count, atOnce)) / count) * 1000;
      const series = await interleave(ROUNDS, {
        plain: measure(plain),
        noted: measure(noted),
        relayed: measure(relayed),
      });
      const floor = median(series.plain);
      const how = atOnce === 1 ? 'one by one' : `${atOnce} at once`;
      lines.push(
        {
          measure: `POST with its audit entry / without, ${how}`,
          ours: median(series.noted),
          floor,
          unit: 'µs',
          limit: LIMIT,
        },
        {
          measure: `… and relayed to the metadata, ${how}`,
          ours: median(series.relayed),
          floor,
          unit: 'µs',
          limit: LIMIT,
        },
      );
    }
    return lines;
  } finally {
    for (const contender of [plain, noted, relayed]) await contender.close();
    await deployment.dispose();
  }
};
