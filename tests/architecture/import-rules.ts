import { readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, normalize } from 'node:path';
import { parseSync } from 'oxc-parser';

/** One import as it stands in a module. Relative ones are given as paths from the project's root. */
export interface Import {
  readonly from: string;
  readonly target: string;
}

/** What modules under `of` may import: folders (ending in `/`), files, packages, or `node:` for all of Node. */
interface Rule {
  readonly of: string;
  readonly may: readonly string[];
}

const CORE = ['domain/', 'application/ports/'];

/** The first rule that fits a module decides. */
export const RULES: readonly Rule[] = [
  { of: 'domain/', may: ['domain/'] },
  { of: 'application/', may: ['application/', 'domain/'] },
  { of: 'adapters/knex/', may: [...CORE, 'adapters/knex/', 'knex'] },
  {
    of: 'adapters/jsonwebtoken/',
    may: [...CORE, 'adapters/jsonwebtoken/', 'jsonwebtoken', 'jwks-rsa', 'lru-cache', 'node:'],
  },
  { of: 'adapters/pino/', may: [...CORE, 'adapters/pino/', 'pino', 'node:'] },
  { of: 'adapters/prometheus/', may: [...CORE, 'adapters/prometheus/', 'prom-client'] },
  { of: 'adapters/argon2/', may: [...CORE, 'adapters/argon2/', '@node-rs/argon2', 'node:'] },
  { of: 'adapters/canonicalize/', may: [...CORE, 'adapters/canonicalize/', 'canonicalize', 'node:'] },
  {
    of: 'infrastructure/composition/',
    may: [
      'domain/',
      'application/',
      'adapters/',
      'infrastructure/',
      'presentation/',
      'inversify',
      'uuid',
      'node:',
    ],
  },
  {
    of: 'infrastructure/bin/',
    may: ['domain/', 'application/', 'adapters/', 'infrastructure/', 'presentation/', 'node:'],
  },
  {
    of: 'infrastructure/embedded-postgres/',
    may: ['infrastructure/embedded-postgres/', 'pg', 'zod', 'node:'],
  },
  { of: 'infrastructure/demo/', may: [...CORE, 'infrastructure/', 'pg', 'zod', 'node:'] },
  {
    of: 'infrastructure/',
    may: [...CORE, 'infrastructure/', 'knex', 'pg', 'pg-connection-string', 'node:'],
  },
  {
    of: 'presentation/http/',
    may: [
      'domain/',
      'application/',
      'presentation/',
      'express',
      'express-async-errors',
      'helmet',
      'zod',
      'zod-openapi',
      'swagger-ui-dist',
      'node:',
    ],
  },
  { of: 'presentation/cli/', may: ['domain/', 'application/', 'presentation/cli/', 'commander'] },
  { of: 'migrations/', may: ['knex'] },
  { of: 'knexfile.ts', may: ['infrastructure/migrations/'] },
];

/** Infrastructure is not wired by what it is wired with. */
const NEVER: readonly Rule[] = [
  { of: 'infrastructure/database/', may: ['infrastructure/composition/', 'infrastructure/bin/'] },
  { of: 'infrastructure/provisioning/', may: ['infrastructure/composition/', 'infrastructure/bin/'] },
  { of: 'infrastructure/migrations/', may: ['infrastructure/composition/', 'infrastructure/bin/'] },
  { of: 'infrastructure/config/', may: ['infrastructure/composition/', 'infrastructure/bin/'] },
];

const FOLDERS = ['domain', 'application', 'adapters', 'infrastructure', 'presentation', 'migrations'];

export const listModules = (root: string): readonly string[] => [
  'knexfile.ts',
  ...FOLDERS.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => join(folder, file)),
  ),
];

/** Static and dynamic imports, re-exports and imports of types alike. */
export const importsIn = (from: string, text: string): readonly Import[] => {
  const { module, errors } = parseSync(from, text);
  if (errors.length > 0) throw new Error(`${from} cannot be parsed`);
  const specifiers = [
    ...module.staticImports.map(({ moduleRequest }) => moduleRequest.value),
    ...module.staticExports.flatMap(({ entries }) =>
      entries.flatMap((entry) => entry.moduleRequest?.value ?? []),
    ),
    ...module.dynamicImports.flatMap(({ moduleRequest }) => {
      const literal = text.slice(moduleRequest.start, moduleRequest.end);
      return /^['"]/.test(literal) ? [literal.slice(1, -1)] : [];
    }),
  ];
  return specifiers.map((specifier) => ({
    from,
    target: specifier.startsWith('.') ? normalize(join(dirname(from), specifier)) : specifier,
  }));
};

export const importsOf = (root: string, module: string): readonly Import[] =>
  importsIn(module, readFileSync(join(root, module), 'utf8'));

const covers = (allowed: string, target: string): boolean => {
  if (allowed === 'node:') return isBuiltin(target);
  return allowed.endsWith('/')
    ? target.startsWith(allowed)
    : target === allowed || target.startsWith(`${allowed}/`);
};

export const isAllowed = ({ from, target }: Import): boolean => {
  const rule = RULES.find(({ of }) => from.startsWith(of));
  const never = NEVER.find(({ of }) => from.startsWith(of));
  if (never?.may.some((forbidden) => covers(forbidden, target)) === true) return false;
  return rule?.may.some((allowed) => covers(allowed, target)) === true;
};
