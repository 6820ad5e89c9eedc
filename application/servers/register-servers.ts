import type { Ports } from '../ports/ports.ts';

/**
 * Records the servers of the configuration that are new, as active. Says which servers hold organizations' databases and
 * are missing in the configuration: those organizations get 503 until the server is configured again.
 */
export const registerServers =
  ({ servers, metadata, logger }: Pick<Ports, 'servers' | 'metadata' | 'logger'>) =>
  async (): Promise<void> => {
    const configured = servers.list().map(({ serverId }) => serverId);
    const added = await metadata.serverLedger.register(configured);
    if (added.length > 0) logger.write('server.registered', { servers: added });
    for (const { serverId, databases } of await metadata.serverLedger.list()) {
      if (databases === 0 || configured.includes(serverId)) continue;
      logger.write('server.unconfigured', { server: serverId, recorded_databases: databases });
    }
  };
