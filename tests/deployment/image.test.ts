import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { findFreePort } from '../../infrastructure/local/embedded-postgres/free-port.ts';
import { createDeployment, TEST_JWT_SECRET, type Deployment } from '../support/deployment.ts';
import { Gate, until } from '../support/gate.ts';
import { needsProgram } from '../support/programs.ts';
import { send } from '../support/send.ts';
import { layOutImage, type Image } from './image-tree.ts';

const CACHE = fileURLToPath(new URL('../../.cache/', import.meta.url));
/** What the base image has, as far as the service uses it. There is no shell among it. */
const BASE = [
  '/lib',
  '/lib64',
  '/usr/lib',
  '/etc/ssl',
  '/etc/resolv.conf',
  '/etc/hosts',
  '/etc/nsswitch.conf',
];
/** Of this test: who changes the user, and where things are mounted. */
const OF_THE_TEST = ['/usr/bin/setpriv', '/run/secrets', '/proc', '/dev', '/tmp'];
const FILES = '/var/lib/mad/files';
const IS_ROOT = process.getuid?.() === 0;
const ADMIN = { email: 'first@lab.example', password: 'a password of the first administrator' };

interface Container {
  readonly process: ChildProcess;
  readonly exited: Promise<readonly unknown[]>;
  output(): string;
  /** To the first process within. */
  signal(name: NodeJS.Signals): void;
}

describe('The files of the image', function () {
  this.timeout(120_000);
  let folder: string;
  let image: Image;
  let deployment: Deployment;
  const containers: Container[] = [];

  before(async function () {
    needsProgram(this, 'bwrap');
    needsProgram(this, 'tini-static');
    deployment = await createDeployment();
    mkdirSync(CACHE, { recursive: true });
    folder = mkdtempSync(join(CACHE, 'image-'));
    chmodSync(folder, 0o755);
    image = layOutImage(join(folder, 'root'));
    for (const path of ['nodejs/bin/node', ...BASE, ...OF_THE_TEST].map((each) =>
      join(folder, 'root', each),
    )) {
      mkdirSync(dirname(path), { recursive: true });
      if (isFile(path.slice(join(folder, 'root').length))) writeFileSync(path, '');
      else mkdirSync(path, { recursive: true });
    }
    const files = join(folder, 'files');
    mkdirSync(files);
    if (IS_ROOT) chownSync(files, image.userId, image.userId);
    mkdirSync(join(folder, 'secrets'));
  });
  afterEach(async () => {
    for (const { process: child, exited } of containers.splice(0)) {
      child.kill('SIGKILL');
      await exited;
    }
  });
  after(async () => {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    await deployment?.dispose();
  });

  /** A file as Compose and Kubernetes hand it over, under the name of its variable. */
  const secret = (name: string, text: string): Readonly<Record<string, string>> => {
    writeFileSync(join(folder, 'secrets', name), text, { mode: 0o444 });
    return { [`${name}_FILE`]: `/run/secrets/${name}` };
  };

  /** Runs a container as the image says, with another user than the one of the tests and a root that nobody can write. */
  const run = (
    environment: Readonly<Record<string, string>>,
    args: readonly string[] = image.command,
  ): Container => {
    const asUser = IS_ROOT
      ? [
          '/usr/bin/setpriv',
          `--reuid=${image.userId}`,
          `--regid=${image.userId}`,
          '--clear-groups',
          '--no-new-privs',
        ]
      : [];
    const variables = Object.entries({ ...image.environment, ...environment });
    const child = spawn(
      'bwrap',
      [
        ...['--die-with-parent', '--unshare-pid', '--as-pid-1', '--info-fd', '3', '--clearenv'],
        ...['--ro-bind', join(folder, 'root'), '/', '--proc', '/proc', '--dev', '/dev', '--tmpfs', '/tmp'],
        ...['--chmod', '1777', '/tmp', '--ro-bind', process.execPath, '/nodejs/bin/node'],
        ...[...BASE, ...OF_THE_TEST.slice(0, 1)].flatMap((path) => ['--ro-bind-try', path, path]),
        ...['--ro-bind', join(folder, 'secrets'), '/run/secrets', '--bind', join(folder, 'files'), FILES],
        ...variables.flatMap(([name, value]) => ['--setenv', name, value]),
        ...['--chdir', image.workingDirectory, '--', ...asUser, ...args],
      ],
      { stdio: ['ignore', 'pipe', 'pipe', 'pipe'] },
    );
    let output = '';
    let info = '';
    // All of them are pipes.
    const [, stdout, stderr, about] = child.stdio as readonly (Readable | null)[];
    for (const stream of [stdout, stderr])
      stream?.on('data', (chunk: Buffer) => (output += chunk.toString()));
    about?.on('data', (chunk: Buffer) => (info += chunk.toString()));
    const container = {
      process: child,
      exited: once(child, 'exit'),
      output: () => output,
      signal: (name: NodeJS.Signals) => process.kill(Number(/"child-pid": (\d+)/.exec(info)?.[1]), name),
    };
    containers.push(container);
    return container;
  };

  it('serve a login, keep files, answer the health check, and stop in good order', async () => {
    const port = await findFreePort(undefined);
    const { DB_DATABASE_URL: url = '', DB_RESULTS_DB_TEMPLATE: template = '' } = deployment.environment;
    const container = run({
      ...secret('DB_DATABASE_URL', url),
      ...secret('DB_RESULTS_DB_TEMPLATE', template),
      ...secret('JWT_SECRET', `${TEST_JWT_SECRET}\n`),
      ...secret('BOOTSTRAP_ADMIN_PASSWORD', ADMIN.password),
      BOOTSTRAP_ADMIN_EMAIL: ADMIN.email,
      PORT: String(port),
    });
    await until(
      () => `it listens:\n${container.output()}`,
      () => container.output().includes('"msg":"listening"') || container.process.exitCode !== null,
      60_000,
    );
    const health = (env: NodeJS.ProcessEnv): number | null =>
      spawnSync(process.execPath, image.healthCheck.slice(1), { env }).status;
    expect(image.healthCheck[0]).to.equal('node');
    expect(health({ PORT: String(port) }), container.output()).to.equal(0);

    const service = `http://127.0.0.1:${port}`;
    const login = await send<{ readonly access_token: string }>(service, 'POST', '/auth/token', {
      body: ADMIN,
    });
    expect(login.status, login.text).to.equal(200);
    await deployment.register('alpha');
    const sent = await fetch(`${service}/files`, {
      method: 'POST',
      headers: { authorization: `Bearer ${deployment.token('alpha', ['member'])}` },
      body: formWith('a file that a read-only root has a place for'),
    });
    expect(sent.status, await sent.text()).to.equal(201);

    container.signal('SIGTERM');
    expect(await container.exited, container.output()).to.deep.equal([0, null]);
    expect(container.output()).to.match(/"msg":"stopped"\}\n$/);
    expect(health({ PORT: String(port) })).to.equal(1);
  });

  it('end at once on a signal during their start, although they are the first process of the container', async () => {
    const asked = new Gate();
    const server = createServer(() => asked.open()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const address = server.address();
      if (address === null || typeof address === 'string')
        throw new Error('a server that listens has a port');
      const container = run({
        ...secret('DB_DATABASE_URL', `postgresql://u:p@127.0.0.1:${address.port}/mad`),
        ...secret('JWT_SECRET', TEST_JWT_SECRET),
        DB_CONNECT_TIMEOUT_MS: '600000',
      });
      await Promise.race([asked.opened, container.exited]);
      container.signal('SIGTERM');
      expect(await container.exited, container.output()).to.deep.equal([128 + 15, null]);
    } finally {
      server.close();
    }
  });

  it('are the command line as well, and say what is missing where nothing is configured', async () => {
    const version = run({}, [...image.command.slice(0, -1), '--version']);
    expect(await version.exited).to.deep.equal([0, null]);
    expect(version.output()).to.match(/^\d+\.\d+\.\d+\n$/);
    const unconfigured = run({});
    expect(await unconfigured.exited).to.deep.equal([1, null]);
    expect(unconfigured.output()).to.include('DB_DATABASE_URL');
  });
});

const isFile = (path: string): boolean =>
  path === '/nodejs/bin/node' || statSync(path, { throwIfNoEntry: false })?.isFile() === true;

const formWith = (text: string): FormData => {
  const form = new FormData();
  form.set('file', new Blob([text]), 'file.txt');
  return form;
};
