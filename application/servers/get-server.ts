import { ServerNotFoundError } from '../../domain/databases/errors.ts';
import type { ServerId } from '../../domain/databases/server.ts';
import type { ListServersPorts } from './list-servers.ts';
import { viewServer, type ServerView } from './server-view.ts';

/** @throws {ServerNotFoundError} */
export const getServer =
  ({ servers, serverLedger }: ListServersPorts) =>
  async (serverId: ServerId): Promise<ServerView> => {
    const record = (await serverLedger.list()).find((one) => one.serverId === serverId);
    if (record === undefined) throw new ServerNotFoundError();
    return viewServer(record, servers);
  };
