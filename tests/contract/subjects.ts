import type { DatabaseLedger } from '../../application/ports/databases/database-ledger.ts';
import type { OperatorsLedger } from '../../application/ports/operators/operators-ledger.ts';
import type { UsageLedger } from '../../application/ports/usage/usage-ledger.ts';
import type { ProcessLedger } from '../../application/ports/operators/process-ledger.ts';
import type { MetadataDatabase } from '../../application/ports/databases/metadata-database.ts';
import type { ResultsDatabase } from '../../application/ports/databases/results-database.ts';
import type { AuditBacklog } from '../../application/ports/audit/audit-backlog.ts';
import type { WorkHints } from '../../application/ports/work/work-hints.ts';
import type { DatabaseState } from '../../domain/databases/results-database.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { FakeMetadata } from '../support/fakes/fake-metadata.ts';
import { FakeOperators, FakeProcesses } from '../support/fakes/fake-operators.ts';
import { FakeUsage } from '../support/fakes/fake-usage.ts';
import { FakeWorkHints } from '../support/fakes/fake-work-hints.ts';
import { FakeResults } from '../support/fakes/fake-results.ts';

/** One side of a contract: what stands in for a port in unit tests, or what serves it. */
export interface Subject<Port> {
  readonly name: string;
  /** Before all tests. */
  open(): Promise<void>;
  /** Gives one test what it is about, without anything in it. */
  empty(): Promise<Port>;
  close(): Promise<void>;
}

/** The results of one organization, with a hand on its clock. */
export interface ResultsSubject extends Subject<ResultsDatabase> {
  /** Has the leases of these jobs lapse, as if their workers had been silent. */
  lapse(...jobIds: readonly string[]): Promise<void>;
  /** Has jobs that wait for a moment be due, and attempts have run for as long as they may. */
  passTime(): Promise<void>;
}

const inMemory = <Port>(make: () => Port): Subject<Port> => ({
  name: 'in memory',
  open: async () => undefined,
  empty: async () => make(),
  close: async () => undefined,
});

const resultsInMemory = (): ResultsSubject => {
  let results = new FakeResults();
  const past = new Date(0);
  return {
    ...inMemory(() => (results = new FakeResults())),
    lapse: async (...jobIds) => {
      for (const [leaseId, held] of results.storedAttempts)
        if (held.outcome === null && jobIds.includes(held.jobId))
          results.storedAttempts.set(leaseId, { ...held, expiresAt: past });
    },
    passTime: async () => {
      for (const jobId of results.notBefore.keys()) results.notBefore.set(jobId, past);
      for (const [leaseId, held] of results.storedAttempts)
        results.storedAttempts.set(leaseId, { ...held, deadlineAt: past });
    },
  };
};

const resultsInPostgres = (): ResultsSubject => {
  let deployment: Deployment;
  let database: ResultsDatabase;
  let release: () => void;
  return {
    name: 'in PostgreSQL',
    open: async () => {
      deployment = await createDeployment();
      await deployment.register('acme');
      const manager = deployment.start().get(TOKENS.connectionManager);
      ({ database, release } = await manager.acquire(organizationId('acme')));
    },
    empty: async () => {
      await deployment.administer(
        'truncate docking_jobs, campaigns, files, file_uploads cascade',
        [],
        deployment.databaseName('acme'),
      );
      return database;
    },
    lapse: async (...jobIds) => {
      await deployment.administer(
        `update job_attempts set expires_at = now() - interval '1 second' where job_id = any($1) and ended_at is null`,
        [jobIds],
        deployment.databaseName('acme'),
      );
    },
    passTime: async () => {
      await deployment.administer(
        `with due as (update docking_jobs set not_before = now() - interval '1 second' where not_before is not null)
         update job_attempts set deadline_at = now() - interval '1 second'`,
        [],
        deployment.databaseName('acme'),
      );
    },
    close: async () => {
      release();
      await deployment.dispose();
    },
  };
};

/** The metadata database, and what it records of results databases. */
export interface MetadataSubject {
  readonly metadata: MetadataDatabase;
  readonly ledger: DatabaseLedger;
  readonly operators: OperatorsLedger;
  readonly processes: ProcessLedger;
  /** Records a database in this state for a registered organization. */
  addDatabase(organization: OrganizationId, state: DatabaseState): Promise<void>;
  readonly workHints: WorkHints;
  readonly usage: UsageLedger;
  /** As the relay of audit entries does it. */
  readonly deliver: AuditBacklog['deliver'];
  /** As if the time had come for every hint at work. */
  makeHintsDue(): Promise<void>;
}

const metadataInMemory = (): MetadataSubject => {
  const metadata = new FakeMetadata();
  const addDatabase: MetadataSubject['addDatabase'] = async (id, state) =>
    metadata.addDatabase(id, { state });
  const processes = new FakeProcesses();
  const operators = new FakeOperators(metadata, processes);
  const workHints = new FakeWorkHints(metadata);
  const usage = new FakeUsage(metadata);
  return {
    metadata,
    ledger: metadata.ledger,
    operators,
    processes,
    addDatabase,
    workHints,
    usage,
    deliver: async (id, entries) => {
      workHints.deliver(id, entries);
      usage.deliver(id, entries);
    },
    makeHintsDue: async () => workHints.makeDue(),
  };
};

const metadataInPostgres = (): Subject<MetadataSubject> => {
  let deployment: Deployment;
  let subject: MetadataSubject;
  return {
    name: 'in PostgreSQL',
    open: async () => {
      deployment = await createDeployment();
      const container = deployment.start();
      subject = {
        metadata: container.get(TOKENS.metadataDatabase),
        ledger: container.get(TOKENS.databaseLedger),
        operators: container.get(TOKENS.operatorsLedger),
        processes: container.get(TOKENS.processLedger),
        addDatabase: async (id, state) => {
          await deployment.administer(
            `insert into organization_databases (org_id, database_name, state, stamp, schema_version)
             values ($1, 'mad_results_' || $1, $2, gen_random_uuid(), 1)`,
            [id, state],
            deployment.metadataDatabase,
          );
        },
        workHints: container.get(TOKENS.workHints),
        usage: container.get(TOKENS.usageLedger),
        deliver: (id, entries) => container.get(TOKENS.auditBacklog).deliver(id, entries),
        makeHintsDue: async () => {
          // The column rounds to milliseconds: now may be in the future there.
          await deployment.metadata(`update work_hints set next_due_at = now() - interval '1 second'`);
        },
      };
    },
    empty: async () => {
      // The trail itself refuses to be emptied.
      await deployment.administer(
        `alter table audit_logs disable trigger user; alter table audit_chains disable trigger user;
         truncate organizations, users, audit_logs, audit_chains, process_beats, reconciler_passes, work_hints,
           usage_writers cascade;
         alter table audit_logs enable trigger user; alter table audit_chains enable trigger user;
         delete from results_servers where server_id <> 'default';
         update results_servers set status = 'active', weight = 100, max_databases = null, databases = 0, labels = '{}',
           system_identifier = null`,
        [],
        deployment.metadataDatabase,
      );
      return subject;
    },
    close: () => deployment.dispose(),
  };
};

export const RESULTS: readonly ResultsSubject[] = [resultsInMemory(), resultsInPostgres()];

export const METADATA: readonly Subject<MetadataSubject>[] = [
  inMemory(metadataInMemory),
  metadataInPostgres(),
];
