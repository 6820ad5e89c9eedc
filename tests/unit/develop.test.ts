import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { until } from '../support/gate.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Stands for the service: says what it was made of, and keeps connections and a timer open until it is asked to end. */
const SERVICE = `
  const { readFileSync } = require('node:fs');
  const { join } = require('node:path');
  const { compile } = require('./compile.cjs');
  const made = () => readFileSync(join(compile(join(__dirname, '../..')), 'domain/one.js'), 'utf8').match(/= (.*);/)[1];
  setInterval(() => undefined, 60_000);
  process.on('SIGTERM', () => setImmediate(() => {
    process.stdout.write('ended\\n');
    process.exit(0);
  }));
  process.stdout.write(process.argv[2] + ' ' + made() + '\\n');
`;

describe('the service under development', function () {
  this.timeout(20_000);
  let project: string;
  let watcher: ChildProcess;
  let said = '';
  let complained = '';
  const write = async (path: string, text: string): Promise<void> => {
    await mkdir(dirname(join(project, path)), { recursive: true });
    // As an editor does it: the file is another one afterwards.
    await writeFile(join(project, `${path}~`), text);
    await rename(join(project, `${path}~`), join(project, path));
  };
  const says = (text: string): Promise<void> => until(`"${text}" is said`, () => said === text);

  before(async () => {
    project = await mkdtemp(join(tmpdir(), 'mad-develop-'));
    for (const name of ['package.json', 'tsconfig.json', 'tsconfig.build.json'])
      await write(name, await readFile(join(ROOT, name), 'utf8'));
    for (const folder of ['domain', 'application', 'adapters', 'presentation', 'migrations'])
      await write(`${folder}/one.ts`, `export const one: number = 1;\n`);
    await write('knexfile.ts', `export {};\n`);
    await symlink(join(ROOT, 'node_modules'), join(project, 'node_modules'));
    for (const name of ['check-node.cjs', 'compile.cjs', 'develop.cjs', 'missing-part.cjs'])
      await cp(join(ROOT, 'infrastructure/bin', name), join(project, 'infrastructure/bin', name));
    await write('infrastructure/bin/mad.cjs', SERVICE);
    watcher = spawn(process.execPath, [join(project, 'infrastructure/bin/develop.cjs')], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    watcher.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    watcher.stderr?.on('data', (chunk: Buffer) => (complained += chunk.toString()));
    await says('start 1\n');
  });
  after(async () => {
    watcher.kill('SIGKILL');
    await rm(project, { recursive: true });
  });

  it('ends before it starts again with what was changed, each time', async () => {
    await write('domain/one.ts', `export const one: number = 2;\n`);
    await says('start 1\nended\nstart 2\n');
    await write('domain/one.ts', `export const one: number = 3;\n`);
    await says('start 1\nended\nstart 2\nended\nstart 3\n');
  });

  it('goes on while the sources do not compile, and in folders that are new', async () => {
    said = '';
    await write('domain/new/two.ts', `export const = 4;\n`);
    await until('the mistake is named', () => /cannot be compiled[^]*domain\/new\/two\.ts/.test(complained));
    expect(said).to.equal('');
    await write('domain/new/two.ts', `export const two = 4;\n`);
    await says('ended\nstart 3\n');
  });

  it('ends with the one that watches', async () => {
    said = '';
    watcher.kill('SIGTERM');
    expect(await once(watcher, 'close')).to.deep.equal([0, null]);
    expect(said).to.equal('ended\n');
  });
});
