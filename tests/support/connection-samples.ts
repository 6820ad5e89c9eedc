import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { DatabaseUrl } from '../../infrastructure/postgres/database-url.ts';

/** Between two questions: a connection that is opened lives longer than that. */
const PAUSE_MS = 5;

export interface ConnectionSampler {
  /** The most connections seen at once so far. */
  most(): number;
  /** Ends the sampling; the most connections seen at once, and how often the server was asked. */
  stop(): Promise<{ readonly most: number; readonly samples: number }>;
}

/** Asks the server again and again how many connections there are to databases whose names begin with `prefix`. */
export const sampleConnections = async (serverUrl: string, prefix: string): Promise<ConnectionSampler> => {
  const url = DatabaseUrl.parse(serverUrl).withDatabase('postgres').toString();
  const client = new Client({ connectionString: url });
  await client.connect();
  let stopped = false;
  let most = 0;
  let samples = 0;
  const sampling = (async () => {
    while (!stopped) {
      const { rows } = await client.query<{ count: number }>(
        // Not the server's own workers, such as autovacuum. Those that began before the question: the list is no
        // snapshot, and may hold a connection and its successor.
        `select count(*)::int as count from pg_stat_activity
         where starts_with(datname, $1) and backend_start <= statement_timestamp()
         and backend_type = 'client backend'`,
        [prefix],
      );
      most = Math.max(most, rows[0]?.count ?? 0);
      samples += 1;
      await sleep(PAUSE_MS);
    }
  })();
  return {
    most: () => most,
    stop: async () => {
      stopped = true;
      await sampling.finally(() => client.end());
      return { most, samples };
    },
  };
};
