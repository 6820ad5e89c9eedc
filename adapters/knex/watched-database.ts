import type { WriteWatcher } from '../../application/ports/write-watcher.ts';
import type { SqlDatabase } from './statement.ts';

/** The same database, with a watcher who hears of all that leaves an entry in its outbox. */
export const watchWrites = (database: SqlDatabase, watcher: WriteWatcher): SqlDatabase => ({
  query: async (query) => {
    if (query.isNoted !== true) return database.query(query);
    const waiting = watcher.begin();
    try {
      if (waiting !== null) await waiting;
      return await database.query(query);
    } finally {
      watcher.end();
    }
  },
  transaction: async (work) => {
    let begun = false;
    try {
      return await database.transaction((executor) =>
        work({
          query: async (query) => {
            if (query.isNoted === true && !begun) {
              begun = true;
              const waiting = watcher.begin();
              if (waiting !== null) await waiting;
            }
            return executor.query(query);
          },
        }),
      );
    } finally {
      if (begun) watcher.end();
    }
  },
});
