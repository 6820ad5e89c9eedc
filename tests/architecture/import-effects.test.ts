import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { ROOT, sourceFiles } from './project-files.ts';

const { compile } = createRequire(import.meta.url)('../../infrastructure/bin/compile.cjs') as {
  compile: (project: string) => string;
};

const DEADLINE_MS = 30_000;

/**
 * Imports one module after the other and names the first that opens or starts something, though it be unref'd or closed
 * again, or that listens to signals. The modules are plain JavaScript: a loader that transpiles opens and starts things of
 * its own, and what depends on its cache.
 */
const SCRIPT = `
import { createHook } from 'node:async_hooks';
const WORK = /^(?:Timeout|TCP|UDP|PIPE|PROCESS|TTY|WORKER|GETADDRINFO|GETNAMEINFO|FSEVENT|STATWATCHER|SIGNAL|HTTP)/;
// Node opens the standard streams when they are first asked for. Packages ask whether they are terminals.
process.stdout, process.stderr;
let begun = [];
createHook({ init: (id, type) => { if (WORK.test(type)) begun.push(type); } }).enable();
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'exit', 'uncaughtException', 'unhandledRejection'];
const heard = () => signals.flatMap((name) => process.listeners(name).map(() => name));
const before = heard().length;
let faulty = null;
for (const file of JSON.parse(process.argv[1])) {
  begun = [];
  await import(file);
  await new Promise((resolve) => setImmediate(resolve));
  const found = [...begun, ...heard().slice(before)];
  if (found.length > 0) { faulty = { file, found }; break; }
}
// What is still open after the last one would keep the process alive.
process.stdout.write(JSON.stringify(faulty ?? process.getActiveResourcesInfo().filter((type) => WORK.test(type))));
if (faulty !== null) setImmediate(() => process.exit(0));
`;

interface Outcome {
  /** Null: it had to be killed. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const importAll = (files: readonly string[]): Promise<Outcome> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--input-type=module', '--eval', SCRIPT, JSON.stringify(files)], {
      cwd: ROOT,
      // Whoever read its configuration at import would stumble over this one.
      env: { DB_DATABASE_URL: 'no URL', PORT: 'no port', JWT_SECRET: 'short' },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: DEADLINE_MS,
      killSignal: 'SIGKILL',
    });
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
    // Nothing imports programs, nor what runs in browsers.
    const files = sourceFiles().filter(
      (file) => !/^(?:infrastructure\/bin|presentation\/console)\//.test(file),
    );
    expect(files.length).to.be.greaterThan(100);
    const dist = compile(ROOT);
    const compiled = files.map((file) => join(dist, file.replace(/\.ts$/, '.js')));
    const outcome = await importAll(compiled.map((file) => pathToFileURL(file).href));
    expect(outcome).to.deep.equal({ status: 0, stdout: '[]', stderr: '' });
  });

  it('would be caught at it', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'mad-import-'));
    const samples = {
      timer: 'setInterval(() => {}, 1000).unref();',
      socket: `import { createServer } from 'node:net'; createServer().listen(0, '127.0.0.1').unref();`,
      process: `import { spawn } from 'node:child_process'; spawn('true');`,
      signal: `process.on('SIGTERM', () => {});`,
      worker: `import { Worker } from 'node:worker_threads'; new Worker('', { eval: true }).unref();`,
    };
    try {
      for (const [name, text] of Object.entries(samples)) {
        const file = join(directory, `${name}.mjs`);
        await writeFile(file, text);
        const { href } = pathToFileURL(file);
        const { stdout } = await importAll([href]);
        expect(stdout, name).to.include(href);
      }
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});
