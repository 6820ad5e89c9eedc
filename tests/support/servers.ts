import type { Container } from 'inversify';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import type {
  RoutedServer,
  RoutedServers,
} from '../../infrastructure/routing/database-connection-manager.ts';
import type { ResultsServer } from '../../infrastructure/servers/results-server.ts';
import type { ResultsServers } from '../../infrastructure/servers/results-servers.ts';
import { DEFAULT_SERVER } from '../../domain/databases/server.ts';

/** The one server of most tests. */
export const defaultServer = (container: Container): ResultsServer =>
  container.get(TOKENS.servers).of(DEFAULT_SERVER);

/** The servers, with parts of each replaced for the manager. */
export const decorateServers = (
  servers: ResultsServers,
  decorate: (server: ResultsServer) => Partial<RoutedServer>,
): RoutedServers => ({
  of: (serverId) => {
    const server = servers.of(serverId);
    const { budget, breaker } = server;
    return {
      budget,
      breaker,
      welcome: (work) => server.welcome(work),
      connect: (placement, policy, named) => server.connect(placement, policy, named),
      ...decorate(server),
    };
  },
  get connections() {
    return servers.connections;
  },
  closeIdleSince: (before) => servers.closeIdleSince(before),
  close: () => servers.close(),
});
