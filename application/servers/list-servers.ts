import type { DatabaseServers } from '../ports/databases/database-server.ts';
import type { ServerLedger } from '../ports/databases/server-ledger.ts';
import { viewServer, type ServerView } from './server-view.ts';

export interface ListServersPorts {
  readonly servers: DatabaseServers;
  readonly serverLedger: ServerLedger;
}

/** In the order of the ids. Servers are few: there are no pages. */
export const listServers =
  ({ servers, serverLedger }: ListServersPorts) =>
  async (): Promise<readonly ServerView[]> =>
    (await serverLedger.list()).map((record) => viewServer(record, servers));
