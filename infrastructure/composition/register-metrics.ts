import { SERVER_PROBLEMS } from '../../domain/databases/server.ts';
import type { ResultsServer } from '../servers/results-server.ts';
import { readVersion } from '../config/version.ts';
import type { RunReport } from '../timing/periodic.ts';
import { registerFleet, registerWork } from './register-fleet-metrics.ts';
import { samples, type MeasuredParts } from './measured-parts.ts';

/** Gives the metrics all that a scrape reads off the running service. Call once. */
export const registerMetrics = (parts: MeasuredParts): void => {
  registerProcess(parts);
  registerPools(parts);
  registerConnections(parts);
  registerFleet(parts);
  registerWork(parts);
  registerBackground(parts);
  registerResponses(parts);
};

const registerProcess = ({ metrics, processBeats }: MeasuredParts): void => {
  metrics.registerGauge({
    name: 'build_info',
    help: 'Always 1: which release runs, and on which Node.js',
    labels: ['version', 'node'],
    read: () => [{ labels: { version: readVersion(), node: process.version }, value: 1 }],
  });
  metrics.registerGauge({
    name: 'event_loop_utilization',
    help: 'How busy the event loop was in the last five seconds, from 0 to 1',
    read: () => processBeats.loopUtilization,
  });
  metrics.registerGauge({
    name: 'organizations_failing',
    help: 'Organizations of which this process answers nothing but errors of its own: the last 20 requests, or all for a minute',
    read: () => processBeats.organizationsFailing,
  });
};

const registerPools = ({ metrics, connectionManager: manager }: MeasuredParts): void => {
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
};

const registerConnections = (parts: MeasuredParts): void => {
  const { metrics, connectionManager: manager, metadataBreaker } = parts;
  const servers = parts.servers.list();
  const breakers = [
    { server: 'metadata', breaker: metadataBreaker },
    ...servers.map(({ serverId, breaker }) => ({ server: serverId, breaker })),
  ];
  const perServer = (valueOf: (server: ResultsServer) => number) =>
    servers.map((server) => ({ labels: { server: server.serverId }, value: valueOf(server) }));
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
  metrics.registerCounter({
    name: 'results_connections_misplaced_total',
    help: 'Connections closed at once, as the database was another one than on record or refused its own role',
    read: () => manager.counts().misplaced,
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
  metrics.registerGauge({
    name: 'server_problem',
    help: 'Whether something is wrong with a server that answers: a full disk, say, or a right that its login lacks',
    labels: ['server', 'problem'],
    read: () =>
      servers.flatMap(({ serverId, problems }) => {
        const current = problems.current;
        return SERVER_PROBLEMS.map((problem) => ({
          labels: { server: serverId, problem },
          value: current.includes(problem) ? 1 : 0,
        }));
      }),
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
};

const registerBackground = ({ metrics, background, changeFeed }: MeasuredParts): void => {
  /** Without the tasks of which it is not known yet. */
  const ofTasks = (read: (report: RunReport) => number | null) => () =>
    background.reports().flatMap(([task, report]) => {
      const value = read(report);
      return value === null ? [] : [{ labels: { task }, value }];
    });
  metrics.registerGauge({
    name: 'change_feed_age_seconds',
    help: 'Age of what this process knows of suspensions, quotas and access; above 1 the feed of changes is behind',
    read: () => (changeFeed.ageMs ?? Infinity) / 1000,
  });
  metrics.registerGauge({
    name: 'background_last_success_timestamp_seconds',
    help: 'When background work was last done without a failure, in Unix time',
    labels: ['task'],
    read: ofTasks(({ lastSuccessAt }) => lastSuccessAt),
  });
  metrics.registerGauge({
    name: 'background_last_run_seconds',
    help: 'How long background work took the last time',
    labels: ['task'],
    read: ofTasks(({ lastRunSeconds }) => lastRunSeconds),
  });
  metrics.registerGauge({
    name: 'background_period_seconds',
    help: 'How often background work is begun',
    labels: ['task'],
    read: ofTasks(({ everySeconds }) => everySeconds),
  });
  metrics.registerCounter({
    name: 'background_failures_total',
    help: 'Runs of background work that failed; each is tried again',
    labels: ['task'],
    read: ofTasks(({ failures }) => failures),
  });
};

const registerResponses = ({
  metrics,
  http: { responses, eventStreams, operatorStreams },
}: MeasuredParts): void => {
  metrics.registerGauge({
    name: 'event_streams',
    help: 'Open streams of events: requests that last until their client, their token or the process ends',
    read: () => eventStreams.count + operatorStreams.count,
  });
  metrics.registerGauge({
    name: 'http_response_bytes',
    help: 'Bytes of answers under way: read or reserved, and not yet taken by their clients',
    read: () => responses.totalBytes,
  });
  metrics.registerCounter({
    name: 'http_responses_refused_total',
    help: 'Answers refused because too many bytes of answers were under way',
    read: () => responses.refusals,
  });
};
