import { openFindings } from '../../application/operators/open-findings.ts';
import { FINDING_KINDS } from '../../application/ports/databases/database-upkeep.ts';
import { ITEM_STATES, RUN_STATES } from '../../application/ports/fleet/fleet-ledger.ts';
import type { DeploymentFigures } from '../../application/ports/operators/deployment-figures.ts';
import { DATABASE_STATES } from '../../domain/databases/results-database.ts';
import type { ServerId } from '../../domain/databases/server.ts';
import { samples, type MeasuredParts } from './measured-parts.ts';

const UNFINISHED = RUN_STATES.filter((state) => state !== 'finished');

/** Of the whole deployment: every process says the same, to within some seconds. */
export const registerFleet = (parts: MeasuredParts): void => {
  registerDatabases(parts);
  registerUpkeep(parts);
};

const registerDatabases = ({ metrics, config, fleetSnapshot, serverSizes, servers }: MeasuredParts): void => {
  const configured = servers.list().map(({ serverId }) => serverId);
  /** Those of the configuration, and those of the ledger that this process is not configured for. */
  const known = (counts: ReadonlyMap<ServerId, unknown>) => new Set([...configured, ...counts.keys()]);
  metrics.registerGauge({
    name: 'results_databases',
    help: 'Results databases of the deployment, by their server and their state in the ledger',
    labels: ['server', 'state'],
    read: () => {
      const counts = fleetSnapshot.databases;
      return [...known(counts)].flatMap((server) =>
        DATABASE_STATES.map((state) => ({
          labels: { server, state },
          value: counts.get(server)?.[state] ?? 0,
        })),
      );
    },
  });
  metrics.registerGauge({
    name: 'spare_databases_ready',
    help: 'Databases of the deployment that stand ready for new organizations',
    labels: ['server'],
    read: () => {
      const counts = fleetSnapshot.sparesReady;
      return [...known(counts)].map((server) => ({ labels: { server }, value: counts.get(server) ?? 0 }));
    },
  });
  metrics.registerGauge({
    name: 'spare_databases_wanted',
    help: 'Databases that are to stand ready on each server at least',
    read: () => config.database.spares.min,
  });
  metrics.registerGauge({
    name: 'results_server_bytes',
    help: "Bytes of the databases on a server that the service's login owns",
    labels: ['server'],
    read: () => [...serverSizes.bytes].map(([server, value]) => ({ labels: { server }, value })),
  });
};

const registerUpkeep = ({ metrics, fleetSnapshot, outboxRelay }: MeasuredParts): void => {
  /** Nothing until the numbers are there: a zero would say that all is well. */
  const known = <Read>(read: (figures: DeploymentFigures) => readonly Read[]) => {
    const { figures } = fleetSnapshot;
    return figures === null ? [] : read(figures);
  };
  metrics.registerGauge({
    name: 'schema_behind_organizations',
    help: 'Active organizations whose schema is older than the one that this release makes',
    read: () => known(({ schemaBehind }) => [{ labels: {}, value: schemaBehind }]),
  });
  metrics.registerGauge({
    name: 'migration_runs',
    help: 'Whether the migration run that is not finished is in this state; at most one is',
    labels: ['state'],
    read: () =>
      known(({ run }) =>
        UNFINISHED.map((state) => ({ labels: { state }, value: run?.state === state ? 1 : 0 })),
      ),
  });
  metrics.registerGauge({
    name: 'migration_items',
    help: 'Organizations of the migration run that is not finished, by how far theirs is',
    labels: ['state'],
    read: () =>
      known(({ run }) => ITEM_STATES.map((state) => ({ labels: { state }, value: run?.counts[state] ?? 0 }))),
  });
  metrics.registerGauge({
    name: 'reconciler_findings',
    help: 'What the last comparison of the servers with the ledger found and did not mend',
    labels: ['kind'],
    read: () =>
      known(({ pass }) => {
        const open = pass === null ? [] : openFindings(pass);
        return FINDING_KINDS.map((kind) => ({
          labels: { kind },
          value: open.find((finding) => finding.kind === kind)?.count ?? 0,
        }));
      }),
  });
  metrics.registerGauge({
    name: 'audit_outbox_oldest_seconds',
    help: 'For how long audit entries have waited to be relayed to the trail: those of this process, or of dead ones',
    read: () => Math.max(outboxRelay.oldestMs / 1000, fleetSnapshot.figures?.orphanedEntriesSeconds ?? 0),
  });
};

export const registerWork = ({ metrics, fleetSnapshot, workFigures }: MeasuredParts): void => {
  const engines = [...workFigures.attemptsBegun.keys()];
  metrics.registerGauge({
    name: 'jobs_waiting',
    help: 'About how many jobs of active organizations wait, by the hints at work',
    labels: ['engine'],
    read: () => {
      const { figures } = fleetSnapshot;
      if (figures === null) return [];
      return engines.map((engine) => ({ labels: { engine }, value: figures.jobsWaiting.get(engine) ?? 0 }));
    },
  });
  metrics.registerGauge({
    name: 'workers_live',
    help: 'Workers that asked this process for jobs, or kept one, within two minutes; those of one account and address count once',
    labels: ['engine'],
    read: () => samples('engine', Object.fromEntries(workFigures.liveWorkers())),
  });
  metrics.registerCounter({
    name: 'attempts_begun_total',
    help: 'Jobs that this process handed out to workers',
    labels: ['engine'],
    read: () => samples('engine', Object.fromEntries(workFigures.attemptsBegun)),
  });
  metrics.registerCounter({
    name: 'attempts_total',
    help: 'Attempts that ended, by the audit entries that this process relayed; lost ones only where no attempt was left',
    labels: ['outcome'],
    read: () => samples('outcome', Object.fromEntries(workFigures.attemptsEnded)),
  });
  metrics.registerCounter({
    name: 'files_added_bytes_total',
    help: 'Bytes of files that their organizations did not have before, by the audit entries that this process relayed',
    read: () => workFigures.filesAddedBytes,
  });
};
