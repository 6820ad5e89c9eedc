import type { Container } from 'inversify';
import type { ServerSession } from '../../application/ports/databases/server-session.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import type {
  RoutedServer,
  RoutedServers,
} from '../../infrastructure/routing/database-connection-manager.ts';
import type { ResultsServer } from '../../infrastructure/servers/results-server.ts';
import { ResultsServers } from '../../infrastructure/servers/results-servers.ts';
import { DEFAULT_SERVER } from '../../domain/databases/server.ts';
import { replaceMade, withOverrides } from './decorate.ts';

/** The one server of most tests. */
export const defaultServer = (container: Container): ResultsServer =>
  container.get(TOKENS.servers).of(DEFAULT_SERVER);

/** Replaces parts of each server of a container, for all that use it. Call it before the servers are asked for. */
export const overrideServers = (
  container: Container,
  overridesOf: (server: ResultsServer) => Partial<ResultsServer>,
): void => {
  replaceMade(
    container,
    TOKENS.servers,
    (servers) =>
      new ResultsServers(servers.list().map((server) => withOverrides(server, overridesOf(server)))),
  );
};

/** Replaces methods of each administrator's session of use cases. Call it before the servers are asked for. */
export const overrideSessions = (
  container: Container,
  overridesOf: (session: ServerSession) => Partial<ServerSession>,
): void => {
  const override = (session: ServerSession): ServerSession => withOverrides(session, overridesOf(session));
  overrideServers(container, (server) => ({
    exclusively: (name, work, deadlineMs) =>
      server.exclusively(name, (session) => work(override(session)), deadlineMs),
    attempt: (name, work) => server.attempt(name, (session) => work(override(session))),
  }));
};

/** The servers, with parts of each replaced for the manager. */
export const decorateServers = (
  servers: ResultsServers,
  decorate: (server: ResultsServer) => Partial<RoutedServer>,
): RoutedServers => ({
  of: (serverId) => {
    const server = servers.of(serverId);
    const { budget, breaker, names } = server;
    return {
      budget,
      breaker,
      names,
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
