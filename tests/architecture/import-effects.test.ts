import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { ROOT, sourceFiles } from './project-files.ts';

const DEADLINE_MS = 30_000;

/** Imports one module after the other, and names those that leave something open, listen to signals or change variables. */
const SCRIPT = `
const baseline = process.getActiveResourcesInfo().length;
const globals = Object.keys(globalThis).length;
const signals = ['SIGINT', 'SIGTERM', 'exit', 'uncaughtException', 'unhandledRejection'];
const listeners = () => signals.reduce((sum, name) => sum + process.listenerCount(name), 0);
const heard = listeners();
const faulty = [];
for (const file of JSON.parse(process.argv[1])) {
  await import(file);
  await new Promise((resolve) => setImmediate(resolve));
  const left = process.getActiveResourcesInfo();
  const problems = [
    ...(left.length > baseline ? [left.join(' ')] : []),
    ...(listeners() > heard ? ['listens to the process'] : []),
    ...(Object.keys(globalThis).length > globals ? ['makes a global variable'] : []),
  ];
  if (problems.length > 0) { faulty.push([file, ...problems]); break; }
}
process.stdout.write(JSON.stringify(faulty));
`;

interface Outcome {
  /** Null: it had to be killed. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const importAll = (files: readonly string[]): Promise<Outcome> =>
  new Promise((resolve, reject) => {
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '--eval', SCRIPT, JSON.stringify(files)],
      {
        cwd: ROOT,
        // Whoever read its configuration at import would stumble over this one.
        env: { DB_DATABASE_URL: 'no URL', PORT: 'no port', JWT_SECRET: 'short' },
        stdio: ['ignore', 'pipe', 'pipe'],
        timeout: DEADLINE_MS,
        killSignal: 'SIGKILL',
      },
    );
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, stdout, stderr }));
  });

describe('importing a module', function () {
  this.timeout(DEADLINE_MS + 5000);

  it('does no work: nothing is opened, started, read from the environment or left behind', async () => {
    const files = sourceFiles().filter((file) => !file.startsWith('infrastructure/bin/'));
    expect(files.length).to.be.greaterThan(100);
    const outcome = await importAll(files.map((file) => pathToFileURL(join(ROOT, file)).href));
    expect(outcome).to.deep.equal({ status: 0, stdout: '[]', stderr: '' });
  });

  it('would be caught at it', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'mad-import-'));
    const samples = {
      timer: 'setTimeout(() => {}, 100);',
      socket: `import { createServer } from 'node:net'; createServer().listen(0, '127.0.0.1').unref();`,
      signal: `process.on('SIGTERM', () => {});`,
      global: 'globalThis.madSample = 1;',
    };
    try {
      for (const [name, text] of Object.entries(samples)) {
        const file = join(directory, `${name}.ts`);
        await writeFile(file, `${text}\nexport {};\n`);
        const { href } = pathToFileURL(file);
        const { stdout } = await importAll([href]);
        expect(stdout, name).to.include(href);
      }
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});
