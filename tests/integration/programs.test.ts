import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const ENTRY = fileURLToPath(new URL('../../infrastructure/bin/mad.cjs', import.meta.url));

interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

describe('a program', function () {
  this.timeout(30_000);
  /** Both its working directory and its folder for temporary files. */
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mad-programs-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const mad = (
    args: readonly string[],
    environment: Readonly<Record<string, string>> = {},
  ): Promise<Outcome> =>
    new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [ENTRY, ...args], {
        cwd: folder,
        env: { PATH: dirname(process.execPath), HOME: folder, TMPDIR: folder, ...environment },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let stdout = '';
      let stderr = '';
      child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
      child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
      child.on('error', reject);
      child.on('close', (status) => resolve({ status, stdout, stderr }));
    });

  for (const [name, args] of [
    ['the command line', ['databases', 'list', '--json']],
    ['the service', ['start']],
    ['the demo', ['demo', '--write']],
    ['knex', ['knex', 'migrate:status', '--env', 'metadata']],
  ] as const) {
    it(`leaves nothing in the temporary folder, where another user could put code in its way: ${name}`, async () => {
      const { status, stdout, stderr } = await mad(args, {
        DB_DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/none',
        JWT_SECRET: 'a secret that is long enough for HS256',
        // Another program may have the default one.
        PORT: '0',
      });
      expect([status, stdout.includes('"url"')]).to.deep.equal([1, false]);
      expect(stderr + stdout).to.include('ECONNREFUSED');
      expect(await readdir(folder)).to.deep.equal([]);
    });
  }

  it('tells help and version without a database, a configuration or a server of its own', async () => {
    const environment = { DB_DATABASE_URL: 'no URL' };
    const { status, stdout, stderr } = await mad(['--version'], environment);
    expect([status, stderr]).to.deep.equal([0, '']);
    expect(stdout).to.match(/^\d+\.\d+\.\d+\n$/);
    expect((await mad(['--help'], environment)).stdout).to.match(/^Usage: mad /);
    expect(await readdir(folder)).to.deep.equal([]);
  });

  it('refuses arguments that it would not heed', async () => {
    expect(await mad(['start', '--port', '3001'])).to.deep.equal({
      status: 2,
      stdout: '',
      stderr: 'mad start takes no arguments: its configuration is the environment and .env.\n',
    });
    expect(await mad(['demo', '--wrtie'])).to.include({ status: 2, stdout: '' });
    expect(await readdir(folder)).to.deep.equal([]);
  });

  it('is no demonstration that writes into a deployment with a database of its own, unless it is asked to', async () => {
    const { status, stdout, stderr } = await mad(['demo'], {
      DB_DATABASE_URL: 'postgresql://mad:canary-password@127.0.0.1:1/production',
      JWT_SECRET: 'a secret that is long enough for HS256',
    });
    expect([status, stdout]).to.deep.equal([2, '']);
    expect(stderr).to.match(/two organizations .*127\.0\.0\.1:1\/production.*npm run demo -- --write\n$/);
    expect(stderr).not.to.include('canary-password');
  });
});
