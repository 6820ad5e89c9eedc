import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { Client } from 'pg';
import { dataDirectoryAt } from '../../infrastructure/local/embedded-postgres/cluster.ts';
import {
  processIsAlive,
  readPid,
  takeDirectoryLock,
  tryDirectoryLock,
} from '../../infrastructure/local/embedded-postgres/directory-lock.ts';
import { startEmbeddedPostgres } from '../../infrastructure/local/embedded-postgres/embedded-postgres.ts';
import { RestartingPostgres } from '../../infrastructure/local/embedded-postgres/restarting-postgres.ts';
import type {
  EmbeddedPostgres,
  EmbeddedPostgresOptions,
} from '../../infrastructure/local/embedded-postgres/embedded-postgres.ts';
import { compiledModule } from '../support/compiled-project.ts';
import { FakeLogger } from '../support/fakes/fake-logger.ts';
import { until } from '../support/gate.ts';
import { signal } from '../support/server-processes.ts';
import { createTestDirectory } from '../support/test-directories.ts';

const MODULE = new URL('../../infrastructure/local/embedded-postgres/embedded-postgres.ts', import.meta.url);
const ownerSource = async (): Promise<string> => `
import { startEmbeddedPostgres } from '${pathToFileURL(await compiledModule(MODULE)).href}';
console.log((await startEmbeddedPostgres({ dataDirectory: process.argv[1], durable: false })).url);
`;

const query = async (url: string, sql: string): Promise<unknown> => {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<unknown[]>({ text: sql, rowMode: 'array' });
    return rows[0]?.[0];
  } finally {
    await client.end();
  }
};

/** The error a promise rejects with. */
const failureOf = async (promise: Promise<unknown>): Promise<Error> => {
  const outcome: unknown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (outcome instanceof Error) return outcome;
  throw new Error('the promise does not reject with an Error');
};

const kill = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
};

describe('the embedded PostgreSQL server', function () {
  this.timeout(60_000);
  let dataDirectory: string;
  const servers: EmbeddedPostgres[] = [];
  const processes: ChildProcess[] = [];

  const start = async (options: Partial<EmbeddedPostgresOptions> = {}): Promise<EmbeddedPostgres> => {
    const server = await startEmbeddedPostgres({ dataDirectory, durable: false, ...options });
    servers.push(server);
    return server;
  };

  const run = (...args: Parameters<typeof spawn>): ChildProcess => {
    const child = spawn(...args);
    processes.push(child);
    return child;
  };

  /** A process of its own that starts the server and keeps it. */
  const runOwner = async (): Promise<ChildProcess> =>
    run(process.execPath, ['--input-type=module', '--eval', await ownerSource(), '--', dataDirectory], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });

  /** The lock is free when the last process of a server (supervisor, postmaster, backends) has ended. */
  const nothingRuns = async (): Promise<boolean> => {
    const lock = await tryDirectoryLock(dataDirectoryAt(dataDirectory).lock);
    lock?.release();
    return lock !== undefined;
  };

  const serverPid = (): number => {
    const pid = readPid(dataDirectoryAt(dataDirectory).pidFile);
    if (pid === undefined) throw new Error('there is no postmaster.pid');
    return pid;
  };

  beforeEach(async () => {
    dataDirectory = await createTestDirectory();
  });

  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.stop()));
    await Promise.all(processes.splice(0).map(kill));
    await until('nothing runs on the data directory', nothingRuns);
    await rm(dataDirectory, { recursive: true, force: true });
  });

  it('answers as PostgreSQL 18 with a UTF-8 database, on the loopback address alone', async () => {
    const { url } = await start();
    expect(url).to.match(/^postgres:\/\/mad:[\w-]{32}@127\.0\.0\.1:\d+\/postgres$/);
    expect(await query(url, 'select version()')).to.match(/^PostgreSQL 18\./);
    expect(await query(url, 'show server_encoding')).to.equal('UTF8');
    expect(await query(url, 'show listen_addresses')).to.equal('127.0.0.1');
    expect(await query(url, 'show unix_socket_directories')).to.equal('');
  });

  it('takes no connection without the password', async () => {
    const { url } = await start();
    const error = await failureOf(query(url.replace(/:[\w-]{32}@/, ':wrong@'), 'select 1'));
    expect(error).to.have.property('code', '28P01');
  });

  it('keeps the password in a file that only its owner reads', async () => {
    const { url } = await start();
    const { password } = dataDirectoryAt(dataDirectory);
    expect(new URL(url).password).to.equal(await readFile(password, 'utf8'));
    expect((await stat(password)).mode & 0o777).to.equal(0o600);
  });

  it('keeps data, password and port from one start to the next', async () => {
    const first = await start();
    await query(first.url, 'create table kept as select 42 as answer');
    await first.stop();
    const second = await start();
    expect(second.url).to.equal(first.url);
    expect(await query(second.url, 'select answer from kept')).to.equal(42);
  });

  it('is gone when stop resolves, also for a second caller', async () => {
    const server = await start();
    const pid = serverPid();
    await Promise.all([server.stop(), server.stop()]);
    expect(processIsAlive(pid)).to.equal(false);
    await server.stop();
  });

  it('syncs to disk unless told otherwise', async () => {
    const durable = await start({ durable: true });
    expect(await query(durable.url, 'show fsync')).to.equal('on');
    await durable.stop();
    const { url } = await start({ durable: false });
    expect(await query(url, 'show fsync')).to.equal('off');
  });

  it('names the folder that it cannot write', async () => {
    const file = join(dataDirectory, 'file');
    await writeFile(file, '');
    const folder = join(file, 'postgres');
    const { message } = await failureOf(start({ dataDirectory: folder }));
    expect(message)
      .to.include(`The folder ${folder} `)
      .and.to.match(/cannot be written \(\w+\)/);
    expect(message).not.to.include('\n');
  });

  it('takes settings over its defaults', async () => {
    const server = await start();
    expect(await query(server.url, 'show max_connections')).to.equal('200');
    await server.stop();
    const { url } = await start({ settings: { max_connections: '33' } });
    expect(await query(url, 'show max_connections')).to.equal('33');
  });

  it('says what the server log says when the server does not start', async () => {
    const error = await failureOf(start({ settings: { shared_buffers: 'plenty' } }));
    expect(error.message).to.include('invalid value for parameter "shared_buffers": "plenty"');
  });

  it('moves to another port when the last one is taken, and refuses when the port is fixed', async () => {
    const first = await start();
    const port = Number(new URL(first.url).port);
    await first.stop();
    const occupant = createServer().listen(port, '127.0.0.1');
    await once(occupant, 'listening');
    try {
      expect((await failureOf(start({ port }))).message).to.include(`Port ${port} on 127.0.0.1 is in use`);
      const second = await start();
      expect(new URL(second.url).port).not.to.equal(String(port));
      expect(await query(second.url, 'select 1')).to.equal(1);
    } finally {
      occupant.close();
    }
  });

  it('refuses a second start on the directory, naming the process that uses it', async () => {
    await start();
    const { message } = await failureOf(start());
    expect(message).to.include(`already in use by process ${process.pid}`);
    expect(message).to.include(`process ${serverPid()})`);
  });

  it('lets one of several starts at the same instant have the directory', async () => {
    const outcomes = await Promise.allSettled([start(), start(), start()]);
    const refusals = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(refusals).to.have.length(2);
    for (const { reason } of refusals) expect(String(reason)).to.include('already in use by process');
  });

  it('leaves no server behind when its process is killed, and starts again at once', async () => {
    const owner = await runOwner();
    if (!owner.stdout) throw new Error('the owner has no output');
    const url = String((await once(owner.stdout, 'data'))[0]).trim();
    await query(url, 'create table kept as select 42 as answer');
    const refusal = await failureOf(start());
    expect(refusal.message).to.include(`already in use by process ${owner.pid}`);
    const pid = serverPid();

    await kill(owner);
    const next = await start(); // does not wait for the old server itself: the start does
    expect(processIsAlive(pid)).to.equal(false);
    expect(await query(next.url, 'select answer from kept')).to.equal(42);
  });

  it('leaves no initdb behind when its process is killed, and makes the cluster anew', async () => {
    const { staging, cluster } = dataDirectoryAt(dataDirectory);
    const owner = await runOwner();
    await until('initdb writes', () => existsSync(join(staging, 'cluster', 'PG_VERSION')));
    await kill(owner);
    await until('initdb ends', nothingRuns);
    expect(existsSync(cluster)).to.equal(false);

    const { url } = await start();
    expect(await query(url, 'select 1')).to.equal(1);
    expect(existsSync(staging)).to.equal(false);
  });

  it('survives a killed server, even when its process id belongs to somebody else by now', async () => {
    const first = await start();
    await first.stop();
    const { cluster, pidFile } = dataDirectoryAt(dataDirectory);
    const { uid, gid } = await stat(cluster);
    // The server itself takes a live process of its own user for a live server.
    const other = run('sleep', ['60'], { cwd: '/', uid, gid, stdio: 'ignore' });
    await writeFile(pidFile, `${other.pid}\n${cluster}\n`);
    const { url } = await start();
    expect(await query(url, 'select 1')).to.equal(1);
  });

  it('ends the sessions of a killed server that do not end by themselves', async () => {
    const first = await start();
    const session = new Client({ connectionString: first.url });
    session.on('error', () => undefined); // it is killed
    await session.connect();
    const { rows } = await session.query<{ pid: number }>('select pg_backend_pid() as pid');
    const pid = rows[0]?.pid ?? 0;
    const data = dataDirectoryAt(dataDirectory);
    // As one that is busy: it does not see that its server has ended.
    process.kill(pid, 'SIGSTOP');
    const visitor = run('sleep', ['60'], { cwd: data.cluster, stdio: 'ignore' });
    try {
      process.kill(serverPid(), 'SIGKILL');
      await first.exited;
      const impatient = takeDirectoryLock(data.lock, { ...data, deadlineMs: 0 });
      expect((await failureOf(impatient)).message).to.include(
        'sessions of a PostgreSQL server that has ended',
      );
      const { url } = await start();
      expect(await query(url, 'select 1')).to.equal(1);
      expect(visitor.exitCode ?? visitor.signalCode, 'who only looks at the folder').to.equal(null);
    } finally {
      signal(pid, 'SIGKILL');
    }
  });

  it('is started again on its port when it ends by itself, and not when it is stopped', async () => {
    const server = await start();
    await query(server.url, 'create table kept as select 7 as n');
    // This one does not sync to disk by itself.
    await query(server.url, 'checkpoint');
    const lines: string[] = [];
    const failed: unknown[] = [];
    // Another program may have the port for a moment. Then it is tried again.
    const logger = new FakeLogger(({ fields, message }) => {
      if ('err' in fields) failed.push(fields['err']);
      else lines.push(message);
    });
    const kept = new RestartingPostgres(server, dataDirectory, logger);
    try {
      for (const runs of [1, 2]) {
        process.kill(serverPid(), 'SIGKILL');
        await until(
          () => `it runs again: ${[...lines, ...failed].join('; ')}`,
          () => lines.length === 2 * runs,
        );
        expect(await query(server.url, 'select n from kept')).to.equal(7);
      }
    } finally {
      await kept.stop();
    }
    await kept.stop();
    expect((await failureOf(query(server.url, 'select 1'))).message).to.include('ECONNREFUSED');
    expect(lines).to.deep.equal([
      'the embedded database server ended; it is started again',
      'the embedded database server runs again',
      'the embedded database server ended; it is started again',
      'the embedded database server runs again',
    ]);
  });

  it('is not left running by a stop that comes while it is being started again', async () => {
    const server = await start();
    let ended = (): void => undefined;
    const noticed = new Promise<void>((resolve) => (ended = resolve));
    const logger = new FakeLogger(() => ended());
    const kept = new RestartingPostgres(server, dataDirectory, logger);
    process.kill(serverPid(), 'SIGKILL');
    await noticed;
    await kept.stop();
    // The sessions of the killed one end on their own, a moment after it.
    await until('nothing runs', nothingRuns);
  });

  it('refuses a cluster that a server runs on which it did not start', async function () {
    if (process.platform !== 'linux') this.skip();
    const first = await start();
    await first.stop();
    const { cluster, pidFile } = dataDirectoryAt(dataDirectory);
    const other = run('sleep', ['60'], { cwd: cluster, stdio: 'ignore' }); // stands where a server stands
    await writeFile(pidFile, `${other.pid}\n${cluster}\n`);
    expect((await failureOf(start())).message).to.include(`already in use by process ${other.pid}`);
  });

  it('refuses a cluster whose password is lost, and says so', async () => {
    const first = await start();
    await first.stop();
    await rm(dataDirectoryAt(dataDirectory).password);
    expect((await failureOf(start())).message).to.include('password');
  });

  it('runs as another user when root starts it, also where that user cannot enter', async function () {
    if (process.getuid?.() !== 0) this.skip();
    const hidden = join(dataDirectory, 'hidden');
    await mkdir(hidden);
    await chmod(hidden, 0o700);
    const { cluster, pidFile } = dataDirectoryAt(hidden);
    const server = await start({ dataDirectory: hidden });
    expect(await query(server.url, 'select 1')).to.equal(1);
    expect((await stat(cluster)).uid).not.to.equal(0);
    expect((await stat(pidFile)).uid).to.equal((await stat(cluster)).uid);
    expect((await stat(hidden)).mode & 0o777).to.equal(0o700);
  });
});
