import type { Container } from 'inversify';
import type { ResultsServer } from '../servers/results-server.ts';
import { TOKENS } from './tokens.ts';

const samples = (label: string, values: Readonly<Record<string, number>>) =>
  Object.entries(values).map(([key, value]) => ({ labels: { [label]: key }, value }));

/** What a scrape reads off the running service. Call once. */
export const registerMetrics = (container: Container): void => {
  const metrics = container.get(TOKENS.metrics);
  const manager = container.get(TOKENS.connectionManager);
  const fleet = container.get(TOKENS.fleetSnapshot);
  const servers = container.get(TOKENS.servers).list();
  const breakers = [
    { server: 'metadata', breaker: container.get(TOKENS.metadataBreaker) },
    ...servers.map(({ serverId, breaker }) => ({ server: serverId, breaker })),
  ];
  const perServer = (valueOf: (server: ResultsServer) => number) =>
    servers.map((server) => ({ labels: { server: server.serverId }, value: valueOf(server) }));
  metrics.registerGauge({
    name: 'organization_pools',
    help: "Organizations' pools of this process; draining ones wait for their last request",
    labels: ['state'],
    read: () => {
      const { pools, draining } = manager.counts();
      return samples('state', { active: pools, draining });
    },
  });
  metrics.registerGauge({
    name: 'results_leases',
    help: "Requests that hold an organization's pool",
    read: () => manager.counts().leases,
  });
  metrics.registerGauge({
    name: 'results_connections',
    help: 'Connections of this process to results databases, those being opened or closed included',
    labels: ['server'],
    read: () => perServer(({ budget }) => budget.taken),
  });
  metrics.registerGauge({
    name: 'results_connection_share',
    help: "This process's share of the deployment's budget of connections to results databases",
    labels: ['server'],
    read: () => perServer(({ budget }) => budget.limit),
  });
  metrics.registerGauge({
    name: 'organizations_waiting_for_connections',
    help: 'Organizations with requests that wait for a connection, as the share is spent',
    labels: ['server'],
    read: () => perServer(({ budget }) => budget.queued),
  });
  metrics.registerGauge({
    name: 'server_circuit_open',
    help: 'Whether a server counts as away: requests that need it are refused at once',
    labels: ['server'],
    read: () =>
      breakers.map(({ server, breaker }) => ({
        labels: { server },
        value: breaker.state === 'closed' ? 0 : 1,
      })),
  });
  metrics.registerGauge({
    name: 'metadata_connections',
    help: 'Connections of this process to the metadata database',
    labels: ['state'],
    read: () => {
      const { inUse, idle, waiting } = manager.metadata.snapshot();
      return samples('state', { in_use: inUse, idle, waiting });
    },
  });
  metrics.registerCounter({
    name: 'organization_pool_removals_total',
    help: 'Pools taken out of service, by cause',
    labels: ['reason'],
    read: () => samples('reason', manager.counts().removals),
  });
  metrics.registerCounter({
    name: 'results_lease_leaks_total',
    help: 'Leases that were not released before their deadline',
    read: () => manager.counts().leaks,
  });
  metrics.registerCounter({
    name: 'results_connections_misplaced_total',
    help: 'Connections closed at once, as the database was another one than on record or refused its own role',
    read: () => manager.counts().misplaced,
  });
  metrics.registerGauge({
    name: 'results_databases',
    help: 'Results databases of the deployment, by their state in the ledger',
    labels: ['state'],
    read: () => samples('state', fleet.databases),
  });
  metrics.registerGauge({
    name: 'spare_databases_ready',
    help: 'Databases of the deployment that stand ready for new organizations',
    read: () => fleet.sparesReady,
  });
};
