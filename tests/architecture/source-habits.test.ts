import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { ROOT, sourceFiles, testFiles } from './project-files.ts';
import { readModule, type SourceModule } from './source-module.ts';

const MAX_CODE_LINES = 300;
const CONFIG = 'infrastructure/config/read-environment.ts';
const KNEXFILE = 'knexfile.ts';
const BIN = 'infrastructure/bin/';

interface Habit {
  readonly says: string;
  readonly holds: (module: SourceModule) => boolean;
  /** Breaks it. */
  readonly sample: string;
}

const HABITS: readonly Habit[] = [
  {
    says: 'reads the environment nowhere but in one file',
    holds: ({ file, readsEnvironment }) => file === CONFIG || !readsEnvironment,
    sample: `export const port = process.env['PORT'];`,
  },
  {
    says: 'reads the environment by no other name either',
    holds: ({ file, readsEnvironment }) => file === CONFIG || !readsEnvironment,
    sample: `import { env } from 'node:process';\nexport const { PORT } = env;`,
  },
  {
    says: 'exports by name, apart from the knexfile',
    holds: ({ file, hasDefaultExport }) => file === KNEXFILE || !hasDefaultExport,
    sample: `const value = 1;\nexport { value as default };`,
  },
  {
    says: 'writes nothing to the console',
    holds: ({ usesConsole }) => !usesConsole,
    sample: `console.log('here');`,
  },
  {
    says: 'asks the container for nothing but in bin: everything else is given its dependencies',
    holds: ({ file, resolvesServices }) => file.startsWith(BIN) || !resolvesServices,
    sample: `export const start = (services) => services.get(TOKENS.service).start();`,
  },
  {
    says: 'asks it under no other name of the method either',
    holds: ({ file, resolvesServices }) => file.startsWith(BIN) || !resolvesServices,
    sample: `export const start = (container, token) => container.getAsync(token);`,
  },
  {
    says: 'proves what the compiler takes on trust (as, !, any) in a comment',
    holds: ({ unprovenLines }) => unprovenLines.length === 0,
    sample: `export const value = JSON.parse('1') as number;`,
  },
  {
    says: `has files of at most ${MAX_CODE_LINES} lines of code`,
    holds: ({ codeLines }) => codeLines <= MAX_CODE_LINES,
    sample: 'export {};\n'.repeat(MAX_CODE_LINES + 1),
  },
];

describe('the source', () => {
  const modules = (): readonly SourceModule[] => sourceFiles().map((file) => readModule(ROOT, file));

  for (const { says, holds, sample } of HABITS) {
    it(says, () => {
      const broken = modules().filter((module) => !holds(module));
      expect(broken.map(({ file, unprovenLines }) => [file, ...unprovenLines].join(':'))).to.deep.equal([]);
      // A check that lets this through would let anything through.
      expect(holds(readModule(ROOT, 'domain/sample.ts', sample))).to.equal(false);
    });
  }
});

describe('the tests', () => {
  /** What a platform cannot run may be skipped, on a line that says so; what needs a program, by `needsProgram`. */
  const LEFT_OUT =
    /\b(?:describe|it|context|specify)\.(?:only|skip)\b|\b(?:xit|xdescribe|xcontext)\(|^(?!.*if \(process\.).*\bthis\.skip\(/m;

  /**
   * Methods taken off a live object, replaced on it or on its class. A port is decorated by `tests/support/decorate.ts`. The
   * document and the drawings of a page in a browser are no objects of the service.
   */
  const PATCHED =
    /\.bind\((?!TOKENS\.|container)|(?<!Canvas\w+)\.prototype(?:\.\w+ = |;)|Object\.defineProperty\((?!document,)/;

  it('patch no live object and no class: they decorate ports', () => {
    const patching = testFiles().filter(
      (file) =>
        !file.startsWith('tests/architecture/') &&
        file !== 'tests/support/decorate.ts' &&
        PATCHED.test(readFileSync(join(ROOT, file), 'utf8')),
    );
    expect(patching).to.deep.equal([]);
    for (const sample of [
      `const take = slots.take.bind(slots);`,
      `WorkScope.prototype.end = () => undefined;`,
      `const { query } = PgConnection.prototype;`,
      `Object.defineProperty(server, 'isBusy', { get: answer });`,
    ]) {
      expect(sample).to.match(PATCHED);
    }
  });

  it('all run: none is singled out, none is left out', () => {
    const marked = testFiles().filter(
      (file) =>
        !file.startsWith('tests/architecture/') && LEFT_OUT.test(readFileSync(join(ROOT, file), 'utf8')),
    );
    expect(marked).to.deep.equal([]);
    for (const sample of [
      `it.only('works')`,
      `describe.skip('x')`,
      'xit(',
      'this.skip()',
      'if (x) this.skip()',
    ]) {
      expect(`\n${sample}`).to.match(LEFT_OUT);
    }
  });
});
