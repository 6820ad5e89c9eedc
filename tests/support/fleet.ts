import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Container } from 'inversify';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { MigrationSource, resultsMigrations } from '../../infrastructure/migrations/migration-source.ts';
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
  /** Versions of the product's own release, and of all that were added. */
  readonly base: number;
  readonly newest: number;
  /** The source of the release that ends with this version. */
  release(version: number): MigrationSource;
  dispose(): Promise<void>;
}

/** For the product at version N, the first extra migration is N + 1. */
export const createReleases = async (extra: readonly ExtraMigration[]): Promise<Releases> => {
  const root = await mkdtemp(join(tmpdir(), 'mad-releases-'));
  const own = await resultsMigrations.getMigrations();
  const base = own.length;
  const directoryOf = (version: number): string => join(root, String(version));
  for (let version = base; version <= base + extra.length; version += 1) {
    const directory = directoryOf(version);
    await cp(fileURLToPath(resultsMigrations.directory), directory, { recursive: true });
    await writeFile(join(directory, 'package.json'), '{"type": "module"}');
    for (const [index, migration] of extra.slice(0, version - base).entries()) {
      const number = String(9000 + index + 1);
      await writeFile(join(directory, `${number}_${migration.name}.js`), textOf(migration));
    }
  }
  const newest = base + extra.length;
  return {
    base,
    newest,
    release: (version) => new MigrationSource(pathToFileURL(`${directoryOf(version)}/`)),
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
  return container;
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
