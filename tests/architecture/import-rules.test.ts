import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { importsIn, importsOf, isAllowed, listModules } from './import-rules.ts';

const ROOT = new URL('../../', import.meta.url).pathname;
const modules = listModules(ROOT);

describe('the hexagon', () => {
  it('is read whole', () => {
    const tracked = execFileSync('git', ['ls-files', '*.ts'], { cwd: ROOT, encoding: 'utf8' })
      .split('\n')
      .filter((file) => file !== '' && !file.startsWith('tests/'));
    expect(modules).to.include.members(tracked);
    expect(modules.length).to.be.greaterThan(100);
    expect(modules.flatMap((module) => importsOf(ROOT, module)).length).to.be.greaterThan(300);
  });

  it('keeps its import rules', () => {
    const broken = modules.flatMap((module) => importsOf(ROOT, module).filter((found) => !isAllowed(found)));
    expect(broken.map(({ from, target }) => `${from} imports ${target}`)).to.deep.equal([]);
  });

  const forbidden: readonly [string, string][] = [
    ['domain/jobs/x.ts', `import { readFile } from 'node:fs';`],
    ['domain/jobs/x.ts', `import type { Actor } from '../../application/actor.ts';`],
    ['domain/jobs/x.ts', `import { z } from 'zod';`],
    ['application/jobs/x.ts', `import { sql } from '../../adapters/knex/statement.ts';`],
    ['application/jobs/x.ts', `import { createHash } from 'node:crypto';`],
    ['application/jobs/x.ts', `export { pool } from '../../infrastructure/database/connection-pool.ts';`],
    ['adapters/knex/x.ts', `import express from 'express';`],
    ['adapters/knex/x.ts', `import pg from 'pg';`],
    ['adapters/knex/x.ts', `import type { Config } from '../../infrastructure/config/config.ts';`],
    ['adapters/pino/x.ts', `import { sql } from '../knex/statement.ts';`],
    ['infrastructure/database/x.ts', `import { sql } from '../../adapters/knex/statement.ts';`],
    ['infrastructure/database/x.ts', `import { createContainer } from '../composition/container.ts';`],
    ['infrastructure/database/x.ts', `import { Container } from 'inversify';`],
    [
      'infrastructure/database/x.ts',
      `import { IssueToken } from '../../application/identity/issue-token.ts';`,
    ],
    ['presentation/http/x.ts', `const pg = await import('pg');`],
    ['presentation/http/x.ts', `import knex from 'knex';`],
    ['presentation/http/x.ts', `import { sql } from '../../adapters/knex/statement.ts';`],
    [
      'presentation/cli/x.ts',
      `import { Reconciler } from '../../infrastructure/provisioning/reconciler.ts';`,
    ],
    ['migrations/results/x.ts', `import { sql } from '../../adapters/knex/statement.ts';`],
    ['elsewhere/x.ts', `import { z } from 'zod';`],
  ];
  for (const [from, text] of forbidden) {
    it(`would fail on ${from}: ${text}`, () => {
      const found = importsIn(from, text);
      expect(found).to.have.length(1);
      expect(found.some(isAllowed)).to.equal(false);
    });
  }

  it('reads the environment in one file', () => {
    const readers = modules.filter((module) => /process\.env\b/.test(codeOf(module)));
    expect(readers).to.deep.equal(['infrastructure/config/config.ts']);
  });

  it('compiles no values into messages of errors', () => {
    const loose = modules.filter((module) =>
      /knex\(\{(?![^}]*compileSqlOnError: false)/.test(codeOf(module)),
    );
    expect(loose).to.deep.equal([]);
  });
});

/** Without comments. */
const codeOf = (module: string): string =>
  readFileSync(`${ROOT}${module}`, 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
