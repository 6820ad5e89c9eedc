import type { MetadataDatabase } from '../../application/ports/databases/metadata-database.ts';
import type { ResultsDatabase } from '../../application/ports/databases/results-database.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { FakeMetadata } from '../support/fakes/fake-metadata.ts';
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

const inMemory = <Port>(make: () => Port): Subject<Port> => ({
  name: 'in memory',
  open: async () => undefined,
  empty: async () => make(),
  close: async () => undefined,
});

const resultsInPostgres = (): Subject<ResultsDatabase> => {
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
      await deployment.administer('truncate docking_jobs cascade', [], deployment.databaseName('acme'));
      return database;
    },
    close: async () => {
      release();
      await deployment.dispose();
    },
  };
};

const metadataInPostgres = (): Subject<MetadataDatabase> => {
  let deployment: Deployment;
  let metadata: MetadataDatabase;
  return {
    name: 'in PostgreSQL',
    open: async () => {
      deployment = await createDeployment();
      metadata = deployment.start().get(TOKENS.metadataDatabase);
    },
    empty: async () => {
      // The trail itself refuses to be emptied.
      await deployment.administer(
        `alter table audit_logs disable trigger user; alter table audit_chains disable trigger user;
         truncate organizations, users, audit_logs, audit_chains cascade;
         alter table audit_logs enable trigger user; alter table audit_chains enable trigger user`,
        [],
        deployment.metadataDatabase,
      );
      return metadata;
    },
    close: () => deployment.dispose(),
  };
};

export const RESULTS: readonly Subject<ResultsDatabase>[] = [
  inMemory(() => new FakeResults()),
  resultsInPostgres(),
];

export const METADATA: readonly Subject<MetadataDatabase>[] = [
  inMemory(() => new FakeMetadata()),
  metadataInPostgres(),
];
