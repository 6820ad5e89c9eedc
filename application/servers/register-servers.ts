import type { DatabaseServers } from '../ports/databases/database-server.ts';
import type { ServerLedger } from '../ports/databases/server-ledger.ts';
import type { Logger } from '../ports/runtime/logger.ts';

export interface RegisterPorts {
  readonly servers: DatabaseServers;
  readonly ledger: ServerLedger;
  readonly logger: Logger;
}

export type RegisterServers = ReturnType<typeof registerServers>;

/**
 * Records the servers of the configuration that are new, as active. Says which servers hold organizations' databases and
 * are missing in the configuration: those organizations get 503 until the server is configured again.
 */
export const registerServers =
  ({ servers, ledger, logger }: RegisterPorts) =>
  async (): Promise<void> => {
    const configured = servers.list().map(({ serverId }) => serverId);
    const added = await ledger.register(configured);
    if (added.length > 0) logger.info({ servers: added }, 'servers of results databases registered');
    for (const { serverId, databases } of await ledger.list()) {
      if (databases === 0 || configured.includes(serverId)) continue;
      logger.error(
        { server: serverId, databases },
        'organizations are not served: this process is not configured for their server',
      );
    }
  };
