import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import { FLOORS, HTTP_FLOORS, importProblems, ZONES } from './import-table.ts';
import { ROOT, SOURCE_FOLDERS, sourceFiles, testFiles } from './project-files.ts';
import { readModule } from './source-module.ts';

const problemsIn = (files: readonly string[]): readonly string[] =>
  files.flatMap((file) => importProblems(readModule(ROOT, file)));

const reports = (file: string, text: string): boolean =>
  importProblems(readModule(ROOT, file, text)).length > 0;

/** Counted by another program than the one that reads them. */
const countedOnDisk = (...folders: readonly string[]): number => {
  const { stdout, status } = spawnSync(
    'find',
    [...folders, '-name', '*.ts*', '!', '-name', '*.d.ts', '-type', 'f'],
    {
      cwd: ROOT,
      encoding: 'utf8',
    },
  );
  expect(status).to.equal(0);
  return stdout.trim().split('\n').length;
};

describe('the import rules', () => {
  it('hold in every module of the project', () => {
    expect(problemsIn(sourceFiles())).to.deep.equal([]);
  });

  it('hold in the tests', () => {
    expect(problemsIn(testFiles())).to.deep.equal([]);
  });

  it('are checked on all there is', () => {
    expect(sourceFiles().length).to.equal(countedOnDisk('knexfile.ts', ...SOURCE_FOLDERS));
    expect(testFiles().length).to.equal(countedOnDisk('tests'));
    const read = sourceFiles().map((file) => readModule(ROOT, file));
    expect(read.filter(({ imports }) => imports.length > 0).length).to.be.greaterThan(100);
  });

  it('have no zone without a file', () => {
    const files = [...sourceFiles(), ...testFiles()];
    const used = new Set(files.map((file) => ZONES.find((zone) => zone.files.test(file))?.name));
    expect(ZONES.map(({ name }) => name).filter((name) => !used.has(name))).to.deep.equal([]);
  });

  const FORBIDDEN: readonly (readonly [file: string, text: string])[] = [
    ['domain/jobs/sample.ts', `import { readFile } from 'node:fs/promises';`],
    ['domain/jobs/sample.ts', `import { readFile } from 'fs';`],
    ['domain/jobs/sample.ts', `import { z } from 'zod';`],
    ['domain/jobs/sample.ts', `import type { Knex } from 'knex';`],
    ['domain/jobs/sample.ts', `import { type Logger } from '../../application/ports/runtime/logger.ts';`],
    ['domain/jobs/sample.ts', `export type { Logger } from '../../application/ports/runtime/logger.ts';`],
    ['domain/jobs/sample.ts', `export * from '../../application/ports/runtime/logger.ts';`],
    ['domain/jobs/sample.ts', `export const load = () => import('../../application/actor.ts');`],
    ['domain/jobs/sample.ts', `export type L = import('../../application/ports/runtime/logger.ts').Logger;`],
    ['domain/jobs/sample.ts', `export const load = (name: string) => import(name);`],
    ['application/jobs/sample.ts', `import { sql } from '../../adapters/knex/statement.ts';`],
    ['application/jobs/sample.ts', `import type { Config } from '../../infrastructure/config/config.ts';`],
    ['application/jobs/sample.ts', `import { route } from '../../presentation/http/routing/route.ts';`],
    ['application/jobs/sample.ts', `import { v7 } from 'uuid';`],
    ['application/jobs/sample.ts', `import { randomUUID } from 'node:crypto';`],
    ['adapters/knex/sample.ts', `import express from 'express';`],
    ['adapters/knex/sample.ts', `import { Client } from 'pg';`],
    ['adapters/knex/sample.ts', `import { getJob } from '../../application/jobs/get-job.ts';`],
    ['adapters/knex/sample.ts', `import { createPinoLogger } from '../pino/pino-logger.ts';`],
    ['adapters/pino/sample.ts', `import knex from 'knex';`],
    ['adapters/pino/sample.ts', `import { parseConfig } from '../../infrastructure/config/config.ts';`],
    ['adapters/redis/sample.ts', `export {};`],
    ['infrastructure/routing/sample.ts', `import { sql } from '../../adapters/knex/statement.ts';`],
    ['infrastructure/routing/sample.ts', `import { Container } from 'inversify';`],
    ['infrastructure/routing/sample.ts', `import { TOKENS } from '../composition/tokens.ts';`],
    [
      'infrastructure/routing/sample.ts',
      `import { createApp } from '../../presentation/http/create-app.ts';`,
    ],
    ['infrastructure/routing/sample.ts', `import { submitJob } from '../../application/jobs/submit-job.ts';`],
    ['infrastructure/servers/sample.ts', `import { runDemo } from '../../presentation/demo/run-demo.ts';`],
    ['infrastructure/cellar/sample.ts', `export {};`],
    ['infrastructure/bin/sample.ts', `import { expect } from 'chai';`],
    ['infrastructure/bin/sample.ts', `import { testServer } from '../../tests/support/postgres-server.ts';`],
    ['presentation/console/sample.tsx', `import type { Role } from '../../domain/identity/role.ts';`],
    ['presentation/console/sample.tsx', `import type { Reply } from '../http/request/reply.ts';`],
    ['presentation/console/sample.tsx', `import { createHash } from 'node:crypto';`],
    ['presentation/console/sample.tsx', `import { z } from 'zod';`],
    ['presentation/http/sample.ts', `import { build } from 'esbuild';`],
    ['presentation/http/sample.ts', `import { sql } from '../../adapters/knex/statement.ts';`],
    ['presentation/http/sample.ts', `import knex from 'knex';`],
    ['presentation/http/sample.ts', `import { Client } from 'pg';`],
    ['presentation/http/sample.ts', `import { Container } from 'inversify';`],
    ['presentation/http/sample.ts', `import { parseConfig } from '../../infrastructure/config/config.ts';`],
    ['presentation/cli/sample.ts', `import { createApp } from '../http/create-app.ts';`],
    [
      'presentation/demo/sample.ts',
      `import { createContainer } from '../../infrastructure/composition/container.ts';`,
    ],
    ['presentation/demo/sample.ts', `import type { Config } from '../../infrastructure/config/config.ts';`],
    ['presentation/demo/sample.ts', `import { getJob } from '../../application/jobs/get-job.ts';`],
    ['presentation/demo/sample.ts', `import { createApp } from '../http/create-app.ts';`],
    ['presentation/demo/sample.ts', `import { Client } from 'pg';`],
    ['presentation/worker/sample.ts', `import { Client } from 'pg';`],
    ['presentation/worker/sample.ts', `import knex from 'knex';`],
    ['presentation/worker/sample.ts', `import { Container } from 'inversify';`],
    ['presentation/worker/sample.ts', `import { claimJobs } from '../../application/jobs/claim-jobs.ts';`],
    ['presentation/worker/sample.ts', `import { createApp } from '../http/create-app.ts';`],
    ['presentation/worker/sample.ts', `import { parseConfig } from '../../infrastructure/config/config.ts';`],
    ['presentation/worker/sample.ts', `import { runDemo } from '../demo/run-demo.ts';`],
    ['presentation/rest/sample.ts', `import { Worker } from '../worker/worker.ts';`],
    ['migrations/results/sample.ts', `import knex from 'knex';`],
    ['migrations/results/sample.ts', `import { readFile } from 'node:fs/promises';`],
    ['migrations/results/sample.ts', `import type { Job } from '../../domain/jobs/docking-job.ts';`],
    ['knexfile.ts', `import { TOKENS } from './infrastructure/composition/tokens.ts';`],
    ['tests/unit/sample.test.ts', `import { Client } from 'pg';`],
    ['tests/unit/sample.test.ts', `import knex from 'knex';`],
    ['tests/unit/sample.test.ts', `import { GenericContainer } from 'testcontainers';`],
    ['tests/unit/sample.test.ts', `import { createDeployment } from '../support/deployment.ts';`],
    [
      'tests/unit/sample.test.ts',
      `const { PostgreSqlContainer } = await import('@testcontainers/postgresql');`,
    ],
  ];
  for (const [file, text] of FORBIDDEN) {
    it(`would report in ${file}: ${text}`, () => expect(reports(file, text)).to.equal(true));
  }

  for (const [index, { name }] of FLOORS.entries()) {
    it(`let infrastructure/${name} stand on the floors before it, and know none after it`, () => {
      const imports = (floor: string): string => `export * from '../${floor}/sample.ts';`;
      const file = `infrastructure/${name}/sample.ts`;
      const { before, after } = {
        before: FLOORS.slice(0, index + 1),
        after: [...FLOORS.slice(index + 1).map((floor) => floor.name), 'composition', 'bin'],
      };
      expect(before.filter((floor) => reports(file, imports(floor.name)))).to.deep.equal([]);
      expect(after.filter((floor) => !reports(file, imports(floor)))).to.deep.equal([]);
    });
  }

  for (const [index, name] of HTTP_FLOORS.entries()) {
    it(`let presentation/http/${name} stand on the floors before it, and know no route after it`, () => {
      const imports = (module: string): string => `export * from '../${module}.ts';`;
      const file = `presentation/http/${name}/sample.ts`;
      const before = [
        ...HTTP_FLOORS.slice(0, index + 1).map((floor) => `${floor}/sample`),
        'http-dependencies',
      ];
      const after = [
        ...HTTP_FLOORS.slice(index + 1).map((floor) => `${floor}/sample`),
        'jobs/job-routes',
        'route-table',
        'create-app',
      ];
      expect(before.filter((module) => reports(file, imports(module)))).to.deep.equal([]);
      expect(after.filter((module) => !reports(file, imports(module)))).to.deep.equal([]);
    });
  }

  it('allow what they are meant to allow', () => {
    const allowed: readonly (readonly [file: string, text: string])[] = [
      ['domain/jobs/sample.ts', `import { DomainError } from '../exceptions.ts';`],
      ['application/jobs/sample.ts', `import type { Logger } from '../ports/logger.ts';`],
      ['adapters/knex/sample.ts', `import knex from 'knex';`],
      ['infrastructure/postgres/sample.ts', `import pg from 'pg';`],
      ['infrastructure/composition/sample.ts', `import { Container } from 'inversify';`],
      ['presentation/http/sample.ts', `import express from 'express';`],
      ['migrations/results/sample.ts', `import type { Knex } from 'knex';`],
      ['migrations/results/sample.ts', `import { type Knex } from 'knex';`],
      ['tests/integration/sample.test.ts', `import { Client } from 'pg';`],
    ];
    for (const [file, text] of allowed) expect(reports(file, text), text).to.equal(false);
  });
});
