import { ServerNotFoundError } from '../../domain/databases/errors.ts';
import type { ServerId } from '../../domain/databases/server.ts';
import type { Ports } from '../ports/ports.ts';
import { viewServer, type ServerView } from './server-view.ts';

/** @throws {ServerNotFoundError} */
export const getServer =
  ({ servers, metadata }: Pick<Ports, 'servers' | 'metadata'>) =>
  async (serverId: ServerId): Promise<ServerView> => {
    const record = await metadata.serverLedger.find(serverId);
    if (record === null) throw new ServerNotFoundError();
    return viewServer(record, servers);
  };
