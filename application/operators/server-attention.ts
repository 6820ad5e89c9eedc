import { SERVER_PROBLEM_TEXTS } from '../../domain/databases/server.ts';
import { SILENT_AFTER_SECONDS } from '../ports/operators/process-ledger.ts';
import { are, item, plural, served, sumOf, type Rule } from './attention-item.ts';

const serversAway: Rule = (facts) =>
  facts.servers.flatMap(({ serverId, isConfigured, isAvailable, databases }) => {
    const concerned = sumOf(served(facts).filter((group) => group.serverId === serverId));
    if (!isConfigured) {
      if (databases === 0) return [];
      return [
        item('server_not_configured', 'critical', {
          ...concerned,
          serverId,
          sentence: `The process that answers has no address of the server ${serverId}: ${are(concerned.organizations, 'refused there')}.`,
          nextStep: `Set DB_RESULTS_DB_TEMPLATE_${serverId.toUpperCase()} for every process, and start them again.`,
        }),
      ];
    }
    const seenAway = facts.standing.processes.filter(
      ({ ageSeconds, servers }) =>
        ageSeconds <= SILENT_AFTER_SECONDS &&
        servers.some((seen) => seen.serverId === serverId && seen.circuit !== 'closed'),
    ).length;
    if (isAvailable && seenAway === 0) return [];
    const where = isAvailable ? ` ${plural(seenAway, 'process', 'processes')} of the service` : '';
    return [
      item('server_unavailable', 'critical', {
        ...concerned,
        serverId,
        sentence: `The server ${serverId} does not answer${where}: ${are(concerned.organizations, 'refused')}.`,
        nextStep: `See whether it runs and can be reached: "npx mad servers check ${serverId}". Requests are served again by themselves when it answers.`,
      }),
    ];
  });

const serverProblems: Rule = (facts) =>
  facts.servers.flatMap(({ serverId, problems }) =>
    problems.map((problem) =>
      item('server_problem', problem === 'disk_full' || problem === 'io_error' ? 'critical' : 'warning', {
        ...sumOf(served(facts).filter((group) => group.serverId === serverId)),
        serverId,
        sentence: `The server ${serverId} answers, but ${SERVER_PROBLEM_TEXTS[problem]}.`,
        nextStep: `"npx mad servers check ${serverId}" says what to do, with the SQL to paste where SQL helps.`,
      }),
    ),
  );

const placement: Rule = ({ servers }) => {
  const takes = servers.some(
    ({ status, isConfigured, maxDatabases, databases }) =>
      status === 'active' && isConfigured && (maxDatabases === null || databases < maxDatabases),
  );
  if (takes || servers.length === 0) return [];
  return [
    item('no_server_takes_databases', 'warning', {
      sentence: 'No server may take the database of a new organization.',
      nextStep:
        'Raise "max_databases" of a server, activate one (PATCH /admin/servers/{server_id}), or add one.',
    }),
  ];
};

const processes: Rule = ({ standing, isFeedBehind }) => {
  const silent = standing.processes.filter(({ ageSeconds }) => ageSeconds > SILENT_AFTER_SECONDS);
  const live = standing.processes.filter(({ ageSeconds }) => ageSeconds <= SILENT_AFTER_SECONDS);
  const versions = [...new Set(live.map(({ version }) => version))].toSorted();
  const waiting = live.flatMap(({ servers }) => servers).filter((server) => server.waiting > 0);
  const starved = [...new Set(waiting.map(({ serverId }) => serverId))].toSorted();
  return [
    ...silent.map(({ instanceId, ageSeconds }) =>
      item('process_silent', 'warning', {
        sentence: `The process ${instanceId} has said nothing for ${Math.round(ageSeconds)} s.`,
        nextStep:
          'See whether it runs, and what its log says last. A process that ended is forgotten after a minute.',
      }),
    ),
    ...starved.map((serverId) =>
      item('connections_exhausted', 'warning', {
        serverId,
        organizations: waiting.reduce(
          (sum, server) => sum + (server.serverId === serverId ? server.waiting : 0),
          0,
        ),
        sentence: `Organizations wait for a connection to the server ${serverId}: the budget is spent.`,
        nextStep: 'See who is busiest. If it lasts: a larger DB_CONNECTION_BUDGET, or another server.',
      }),
    ),
    ...(versions.length < 2
      ? []
      : [
          item('releases_differ', 'notice', {
            sentence: `Processes of different releases run: ${versions.join(', ')}.`,
            nextStep: 'Expected during an upgrade. Afterwards, stop the older ones.',
          }),
        ]),
    ...(isFeedBehind
      ? [
          item('changes_late', 'warning', {
            sentence: 'The process that answers hears late of suspensions, quotas and access.',
            nextStep: 'See its connection to the metadata database: "change_feed" of GET /ready.',
          }),
        ]
      : []),
  ];
};

/** About servers, and the processes of the service. */
export const SERVER_RULES: readonly Rule[] = [serversAway, serverProblems, placement, processes];
