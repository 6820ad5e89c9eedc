import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EmbeddedPostgresError } from './embedded-postgres-error.ts';
import { runCommand } from './run-command.ts';
import type { SystemUser } from './run-command.ts';
import { openServerLog } from './server-log.ts';
import { canEnter } from './server-user.ts';
import { supervise } from './supervisor.ts';

export const SUPERUSER = 'mad';

/** The paths of a data directory. `cluster` belongs to the server's user, the rest to this process's user. */
export interface DataDirectory {
  readonly root: string;
  readonly cluster: string;
  /** The folder in which initdb makes a new cluster. */
  readonly staging: string;
  readonly password: string;
  readonly port: string;
  readonly lock: string;
  readonly log: string;
  /** PostgreSQL's lock file. Its first line is the server's process id. */
  readonly pidFile: string;
}

export const dataDirectoryAt = (root: string): DataDirectory => ({
  root,
  cluster: join(root, 'cluster'),
  staging: join(root, 'cluster.new'),
  password: join(root, 'password'),
  port: join(root, 'port'),
  lock: join(root, 'lock'),
  log: join(root, 'postgres.log'),
  pidFile: join(root, 'cluster', 'postmaster.pid'),
});

/** The settings that every program on a cluster needs. */
export interface ClusterHost {
  readonly data: DataDirectory;
  /** The folder with bin, lib and share. */
  readonly binaries: string;
  readonly user: SystemUser | undefined;
  readonly durable: boolean;
  readonly lockFd: number;
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/**
 * Returns the `-D` argument for a program that starts in the cluster's folder. When root starts the server, the
 * server's user may not be allowed to enter the parent folders (a checkout in /root). On Linux the program can still
 * reach its working directory through /proc/self/cwd.
 *
 * @throws {EmbeddedPostgresError} on another system, when the user cannot enter the data directory
 */
export const clusterArgument = async (host: ClusterHost, cluster: string): Promise<string> => {
  if (await canEnter(host.user, host.data.root)) return cluster;
  if (process.platform === 'linux') return '/proc/self/cwd';
  throw new EmbeddedPostgresError(
    `PostgreSQL does not run as root, and user ${host.user?.uid} cannot enter the data directory ` +
      `${host.data.root}: choose a folder it can enter, or start this process as an ordinary user.`,
  );
};

/** For a cluster that is thrown away, and whose password nobody attacks: each login hashes it so many times. */
const VOLATILE_ARGUMENTS = ['--no-sync', '--no-data-checksums', '--set=scram_iterations=1'];

/** macOS has no locale C.UTF-8. PostgreSQL's builtin one sorts in the same order. */
const LOCALE_ARGUMENTS =
  process.platform === 'darwin'
    ? ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']
    : ['--locale=C.UTF-8'];

const runInitdb = async (host: ClusterHost, cluster: string): Promise<void> => {
  const argument = await clusterArgument(host, cluster);
  const log = openServerLog(host.data.log);
  try {
    const initdb = supervise({
      command: join(host.binaries, 'bin/initdb'),
      args: [
        `--pgdata=${argument}`,
        `--username=${SUPERUSER}`,
        '--pwfile=../password',
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        ...LOCALE_ARGUMENTS,
        '--no-instructions',
        ...(host.durable ? [] : VOLATILE_ARGUMENTS),
      ],
      cwd: cluster,
      user: host.user,
      logFd: log.fd,
      lockFd: host.lockFd,
    });
    const status = await initdb.exited;
    if (status !== 0) {
      throw new EmbeddedPostgresError(`initdb ended with status ${status}. It said:\n${log.tail()}`);
    }
  } finally {
    log.close();
  }
};

const initialise = async (host: ClusterHost, password: string): Promise<void> => {
  const { data, user } = host;
  const cluster = join(data.staging, 'cluster');
  const passwordFile = join(data.staging, 'password');
  await mkdir(cluster, { recursive: true });
  // The server's user must be able to enter the folder, whatever the umask is.
  await chmod(data.staging, 0o755);
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (user) {
    await chown(cluster, user.uid, user.gid);
    await chown(passwordFile, user.uid, user.gid);
  }
  await runInitdb(host, cluster);
  await rename(cluster, data.cluster);
};

/** Reads the superuser's password, or creates its file. The file is complete before initdb uses it. */
const ensurePassword = async (data: DataDirectory): Promise<string> => {
  const known = await readFile(data.password, 'utf8').catch(() => undefined);
  if (known !== undefined) return known;
  if (await exists(data.cluster)) {
    throw new EmbeddedPostgresError(
      `The password file ${data.password} of the cluster beside it is missing or cannot be read: put it back, or ` +
        `remove ${data.root} to start with an empty cluster.`,
    );
  }
  const password = randomBytes(24).toString('base64url');
  await writeFile(`${data.password}.new`, password, { mode: 0o600 });
  await rename(`${data.password}.new`, data.password);
  return password;
};

/**
 * Creates the cluster unless it exists. initdb works in another folder, which is renamed at the end, so a killed
 * initdb leaves no partial cluster. The caller must hold the directory's lock.
 *
 * @returns the superuser's password
 * @throws {EmbeddedPostgresError} when initdb fails, the password file of an existing cluster is missing, or the
 *   cluster cannot be given to the server's user
 */
export const ensureCluster = async (host: ClusterHost): Promise<string> => {
  const { data, user } = host;
  const password = await ensurePassword(data);
  await rm(data.staging, { recursive: true, force: true });
  if (!(await exists(data.cluster))) {
    await initialise(host, password);
    await rm(data.staging, { recursive: true, force: true });
  } else if (user && (await stat(data.cluster)).uid !== user.uid) {
    // Root restored this cluster from a backup, so root owns it.
    const { status, stderr } = await runCommand('chown', ['-R', `${user.uid}:${user.gid}`, data.cluster]);
    if (status !== 0)
      throw new EmbeddedPostgresError(`Cannot give the cluster to its user: ${stderr.trim()}`);
  }
  return password;
};
