import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const { compile } = createRequire(import.meta.url)('../../infrastructure/bin/compile.cjs') as {
  compile(project: string): string;
};

describe('the compiled form that programs run', function () {
  this.timeout(20_000);
  let project: string;
  const write = async (path: string, text: string): Promise<void> => {
    await mkdir(dirname(join(project, path)), { recursive: true });
    await writeFile(join(project, path), text);
  };
  const readCompiled = (path: string): Promise<string> => readFile(join(compile(project), path), 'utf8');

  beforeEach(async () => {
    project = await mkdtemp(join(tmpdir(), 'mad-compile-'));
    await write('package.json', '{ "type": "module" }');
    for (const name of ['tsconfig.json', 'tsconfig.build.json'])
      await write(name, await readFile(join(ROOT, name), 'utf8'));
    for (const folder of ['domain', 'application', 'adapters', 'presentation', 'migrations'])
      await write(`${folder}/one.ts`, `export const one: number = 1;\n`);
    await write('infrastructure/two.ts', `export { one } from '../domain/one.ts';\n`);
    await write('knexfile.ts', `export {};\n`);
  });
  afterEach(() => rm(project, { recursive: true }));

  it('is as new as the sources, whatever the dates of the files are', async () => {
    expect(await readCompiled('infrastructure/two.js')).to.match(/from '..\/domain\/one.js'/);
    await write('domain/one.ts', `export const one: number = 2;\n`);
    expect(await readCompiled('domain/one.js')).to.match(/^export const one = 2;/);
  });

  it('holds nothing whose source is gone: a migration of another branch is not applied', async () => {
    await write('migrations/metadata/0002_gone.ts', 'export {};\n');
    await readCompiled('migrations/metadata/0002_gone.js');
    await rm(join(project, 'migrations/metadata/0002_gone.ts'));
    expect(await readdir(join(compile(project), 'migrations/metadata'))).to.deep.equal([]);
  });

  it('has copies of the files that are no TypeScript', async () => {
    await write('presentation/demo/input.pdbqt', 'ATOM');
    expect(await readCompiled('presentation/demo/input.pdbqt')).to.equal('ATOM');
  });

  it('may be made by several processes at once, and nothing is left over', async () => {
    const script = `require(${JSON.stringify(join(ROOT, 'infrastructure/bin/compile.cjs'))})`;
    const compileApart = (): Promise<unknown> =>
      promisify(execFile)(process.execPath, ['-e', `${script}.compile(${JSON.stringify(project)})`]);
    await Promise.all([compileApart(), compileApart(), compileApart()]);
    expect(await readCompiled('domain/one.js')).to.match(/^export const one = 1;/);
    expect((await readdir(project)).filter((name) => name.startsWith('.'))).to.deep.equal([]);
  });

  it('is refused with what is wrong when a source is not TypeScript', async () => {
    await write('domain/one.ts', 'export const = ;\n');
    expect(() => compile(project)).to.throw(/cannot be compiled[^]*domain\/one\.ts/);
  });
});
