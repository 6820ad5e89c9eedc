import { EventEmitter, once } from 'node:events';
import { Logger, makeWorkerUtils, run, type RunnerOptions } from 'graphile-worker';
import PgBoss from 'pg-boss';
import { timed } from '../statistics.ts';

/** A queue with `count` small jobs in it, each worked off `batch` at a time by `clients` clients. */
export interface Queue {
  /** @returns milliseconds from the first claim to the last completion */
  workOff(count: number): Promise<number>;
  close(): Promise<void>;
}

export const BATCH = 10;
export const CLIENTS = 10;

const QUEUE = 'docking';

/** Runs `work` again and again, in as many clients at once, until it gets nothing. */
export const untilEmpty = async (work: () => Promise<number>): Promise<number> => {
  let done = 0;
  const client = async (): Promise<void> => {
    for (let got = await work(); got > 0; got = await work()) done += got;
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  return done;
};

export const openPgBoss = async (connectionString: string): Promise<Queue> => {
  const boss = new PgBoss({ connectionString, max: CLIENTS, supervise: false, schedule: false });
  await boss.start();
  await boss.createQueue(QUEUE);
  return {
    workOff: async (count) => {
      await boss.insert(Array.from({ length: count }, (_, serial) => ({ name: QUEUE, data: { serial } })));
      return timed(async () => {
        const done = await untilEmpty(async () => {
          const jobs = await boss.fetch(QUEUE, { batchSize: BATCH });
          if (jobs.length > 0)
            await boss.complete(
              QUEUE,
              jobs.map(({ id }) => id),
            );
          return jobs.length;
        });
        if (done !== count) throw new Error(`pg-boss gave ${done} jobs of ${count}`);
      });
    },
    close: () => boss.stop(),
  };
};

/** What is finished at one moment, graphile-worker then completes together. */
export const COLLECTED: WorkerSettings = { completeJobBatchDelay: 0, failJobBatchDelay: 0 };

type WorkerSettings = NonNullable<NonNullable<RunnerOptions['preset']>['worker']>;

export const openGraphileWorker = async (
  connectionString: string,
  settings: WorkerSettings = {},
): Promise<Queue> => {
  const logger = new Logger(() => () => undefined);
  const utils = await makeWorkerUtils({ connectionString, logger });
  await utils.migrate();
  return {
    workOff: async (count) => {
      await utils.withPgClient((client) =>
        client.query(
          `select graphile_worker.add_job($1, json_build_object('serial', serial)) from generate_series(1, $2) as serial`,
          [QUEUE, count],
        ),
      );
      const finished = new EventEmitter();
      const emptied = once(finished, 'all');
      let done = 0;
      const docking = async (): Promise<void> => {
        done += 1;
        if (done === count) finished.emit('all');
      };
      return timed(async () => {
        const runner = await run({
          connectionString,
          logger,
          noHandleSignals: true,
          taskList: { [QUEUE]: docking },
          preset: {
            worker: {
              concurrentJobs: CLIENTS,
              maxPoolSize: CLIENTS,
              localQueue: { size: BATCH },
              ...settings,
            },
          },
        });
        await emptied;
        // Completions that are under way belong to the work.
        await runner.stop();
      });
    },
    close: async () => {
      await utils.release();
    },
  };
};
