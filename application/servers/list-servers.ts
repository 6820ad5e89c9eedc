import type { Ports } from '../ports/ports.ts';
import { viewServer, type ServerView } from './server-view.ts';

/** In the order of the ids. Servers are few: there are no pages. */
export const listServers =
  ({ servers, metadata }: Pick<Ports, 'servers' | 'metadata'>) =>
  async (): Promise<readonly ServerView[]> =>
    (await metadata.serverLedger.list()).map((record) => viewServer(record, servers));
