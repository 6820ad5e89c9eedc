import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Container } from 'inversify';
import type { MigrationTarget } from '../../application/ports/fleet/database-migrator.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { MigrationSource, resultsMigrations } from '../../infrastructure/migrations/migration-source.ts';
import { compiledModule } from './compiled-project.ts';
import { decorate } from './decorate.ts';
import { organizationId, type Deployment } from './deployment.ts';

/** One results migration that no release of the product has. */
export interface ExtraMigration {
  /** Such as `add_score`; the number is given. */
  readonly name: string;
  /** Statements of a function body that has `knex`. */
  readonly up: string;
  readonly down?: string;
  /** Whether it runs in a transaction; it does by default. */
  readonly transaction?: boolean;
}

/** The product's results migrations and others after them: releases of the service that do not exist. */
export interface Releases {
  /** Versions of the product's own release, and of the one with all that were added. */
  readonly base: number;
  readonly newest: number;
  /** The source of the release that ends with this version. */
  release(version: number): MigrationSource;
  /** As the history has it. */
  nameOf(version: number): string;
  dispose(): Promise<void>;
}

/** For the product at version N, the first extra migration is N + 1. */
export const createReleases = async (extra: readonly ExtraMigration[]): Promise<Releases> => {
  // Runners in processes of their own read them as well, without a loader for TypeScript.
  const product = await compiledModule(resultsMigrations.directory);
  const root = await mkdtemp(join(tmpdir(), 'mad-releases-'));
  const base = (await resultsMigrations.getMigrations()).length;
  const directoryOf = (version: number): string => join(root, String(version));
  const names = extra.map(({ name }, index) => `${9001 + index}_${name}`);
  for (let version = base; version <= base + extra.length; version += 1) {
    const directory = directoryOf(version);
    await cp(product, directory, { recursive: true });
    await writeFile(join(directory, 'package.json'), '{"type": "module"}');
    for (const [index, migration] of extra.slice(0, version - base).entries()) {
      await writeFile(join(directory, `${names[index]}.js`), textOf(migration));
    }
  }
  return {
    base,
    newest: base + extra.length,
    release: (version) => new MigrationSource(pathToFileURL(`${directoryOf(version)}/`)),
    nameOf: (version) => names[version - base - 1] ?? '',
    dispose: () => rm(root, { recursive: true }),
  };
};

const textOf = ({ up, down = '', transaction = true }: ExtraMigration): string => `
export const up = async (knex) => { ${up} };
export const down = async (knex) => { ${down} };
export const config = { transaction: ${String(transaction)} };
`;

/** Makes a started container one of another release; before anything was asked of it. */
export const asRelease = (container: Container, migrations: MigrationSource): Container => {
  container.rebind(TOKENS.resultsMigrations).toConstantValue(migrations);
  // Patience is tested where it is the matter.
  container
    .rebind(TOKENS.fleetRunnerSettings)
    .toConstantValue({ leaseMs: 3000, maxAttempts: 10, retryDelayMs: 20 });
  return container;
};

/** What a test does around each attempt on a database: `proceed` makes it. Call it before the migrator is asked for. */
export const aroundAttempts = (
  container: Container,
  hook: (target: MigrationTarget, proceed: () => Promise<void>) => Promise<void>,
): void => {
  decorate(container, TOKENS.databaseMigrator, (migrator) => ({
    migrate: async (target) => {
      const outcomes: Awaited<ReturnType<typeof migrator.migrate>>[] = [];
      await hook(target, async () => void outcomes.push(await migrator.migrate(target)));
      const [outcome] = outcomes;
      if (outcome === undefined) throw new Error('the hook never made the attempt');
      return outcome;
    },
  }));
};

/** Gives organizations their databases, at the version of the container's release. */
export const provisionAll = async (container: Container, ids: readonly string[]): Promise<void> => {
  const manager = container.get(TOKENS.connectionManager);
  for (const id of ids) await manager.provision(organizationId(id));
};

/** Ids `org-000`, `org-001`, …, registered. */
export const registerMany = async (deployment: Deployment, count: number): Promise<readonly string[]> => {
  const ids = Array.from({ length: count }, (_, index) => `org-${String(index).padStart(3, '0')}`);
  await deployment.register(...ids);
  return ids;
};

/** Names of the applied migrations of one organization's database, in order. */
export const historyOf = async (deployment: Deployment, id: string): Promise<readonly string[]> => {
  const rows = await deployment.administer<{ name: string }>(
    'select name from knex_migrations order by id',
    [],
    deployment.databaseName(id),
  );
  return rows.map(({ name }) => name);
};

/** Schema versions by organization, as the ledger has them. */
export const ledgerVersions = async (deployment: Deployment): Promise<Readonly<Record<string, number>>> => {
  const rows = await deployment.administer<{ org_id: string; schema_version: number }>(
    'select org_id, schema_version from organization_databases',
    [],
    deployment.metadataDatabase,
  );
  return Object.fromEntries(rows.map((row) => [row.org_id, row.schema_version]));
};
