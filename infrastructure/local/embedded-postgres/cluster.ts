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

/** What stands in a data directory. Only `cluster` belongs to the server's user; the rest is ours. */
export interface DataDirectory {
  readonly root: string;
  readonly cluster: string;
  /** A cluster in the making. */
  readonly staging: string;
  readonly password: string;
  readonly port: string;
  readonly lock: string;
  readonly log: string;
  /** The server's own lock file; its first line is the server's process id. */
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

/** What every program on a cluster needs. */
export interface ClusterHost {
  readonly data: DataDirectory;
  /** Folder with bin, lib and share. */
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
 * What to pass as `-D` to a program started in the cluster's folder. A server of root runs as a user who may not be
 * able to enter the folders above (a checkout in /root). Linux still lets it reach the folder it stands in through
 * /proc/self/cwd, without permission on those above, so the data stays where it was asked to be.
 *
 * @throws EmbeddedPostgresError on a system without /proc, when the user cannot enter the data directory
 */
export const clusterArgument = async (host: ClusterHost, cluster: string): Promise<string> => {
  if (await canEnter(host.user, host.data.root)) return cluster;
  if (process.platform === 'linux') return '/proc/self/cwd';
  throw new EmbeddedPostgresError(
    `PostgreSQL does not run as root, and user ${host.user?.uid} cannot enter the data directory ` +
      `${host.data.root}: choose a folder it can enter, or start this process as an ordinary user.`,
  );
};

/** macOS has no C.UTF-8 among its locales, but PostgreSQL has one of its own with the same order. */
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
        ...(host.durable ? [] : ['--no-sync']),
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
  await chmod(data.staging, 0o755); // the server's user passes through it, whatever our umask
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (user) {
    await chown(cluster, user.uid, user.gid);
    await chown(passwordFile, user.uid, user.gid);
  }
  await runInitdb(host, cluster);
  await rename(cluster, data.cluster);
};

/** Reads the superuser's password, or makes it; it is there whole before a cluster is made with it. */
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
 * Makes the cluster unless it is there. It is made under another name and renamed when complete: what a killed initdb
 * leaves is never taken for a cluster. The caller holds the directory's lock.
 *
 * @returns the superuser's password
 * @throws EmbeddedPostgresError when initdb fails, or the password of an existing cluster is lost
 */
export const ensureCluster = async (host: ClusterHost): Promise<string> => {
  const { data, user } = host;
  const password = await ensurePassword(data);
  await rm(data.staging, { recursive: true, force: true });
  if (!(await exists(data.cluster))) {
    await initialise(host, password);
    await rm(data.staging, { recursive: true, force: true });
  } else if (user && (await stat(data.cluster)).uid !== user.uid) {
    // A cluster of root: a backup that root has put back.
    const { status, stderr } = await runCommand('chown', ['-R', `${user.uid}:${user.gid}`, data.cluster]);
    if (status !== 0)
      throw new EmbeddedPostgresError(`Cannot give the cluster to its user: ${stderr.trim()}`);
  }
  return password;
};
