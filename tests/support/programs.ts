import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { findFreePort } from '../../infrastructure/local/embedded-postgres/free-port.ts';
import { findServerUser } from '../../infrastructure/local/embedded-postgres/server-user.ts';
import { until } from './gate.ts';

/** Debian keeps daemons where an ordinary user's path does not lead. */
const FOLDERS = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];

/** Where a program is installed; undefined where it is not. */
export const pathOf = (program: string): string | undefined =>
  FOLDERS.map((folder) => join(folder, program)).find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

/** Leaves the tests of a suite out where the program is not installed, and says so. */
export const needsProgram = (suite: Mocha.Context, program: string): void => {
  if (pathOf(program) !== undefined) return;
  process.stderr.write(`  ${program} is not installed: its tests are left out\n`);
  suite.skip();
};

/** A program that listens between the service and a PostgreSQL server. */
export interface MiddleProgram {
  readonly port: number;
  /** The same URL, through the program. */
  urlOf(databaseUrl: string): string;
  /** Ends it and removes its files. */
  stop(): Promise<void>;
}

/** @param files by name; `$PORT` in them is the port to listen on, and `$FOLDER` theirs */
const start = async (
  program: string,
  args: readonly string[],
  files: Readonly<Record<string, string>>,
): Promise<MiddleProgram> => {
  const path = pathOf(program);
  if (path === undefined) throw new Error(`${program} is not installed`);
  const folder = await mkdtemp(join(tmpdir(), 'mad-test-program-'));
  await chmod(folder, 0o755);
  const port = await findFreePort(undefined);
  for (const [name, text] of Object.entries(files))
    await writeFile(join(folder, name), text.replaceAll('$PORT', String(port)).replaceAll('$FOLDER', folder));
  // None of them runs as root.
  const user = await findServerUser(join(folder, 'nobody has this'));
  const child = spawn(path, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], ...user });
  const exited = once(child, 'exit');
  let log = '';
  for (const output of [child.stdout, child.stderr])
    output.on('data', (chunk: Buffer) => (log += chunk.toString()));
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await until(
      () => `${program} listens:\n${log}`,
      () => accepts(port),
    );
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    port,
    urlOf: (databaseUrl) => {
      const url = new URL(databaseUrl);
      url.host = `127.0.0.1:${port}`;
      return url.href;
    },
    stop,
  };
};

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });

/**
 * PgBouncer before a server, with its stock settings but for these. Roles that it does not know, such as those of
 * organizations, it asks the server for.
 *
 * @param ignored startup parameters that it accepts and drops
 */
export const startPgBouncer = (
  serverUrl: string,
  mode: 'session' | 'transaction',
  ignored: readonly string[] = [],
): Promise<MiddleProgram> => {
  const { hostname, port, username, password } = new URL(serverUrl);
  return start('pgbouncer', ['pgbouncer.ini'], {
    'users.txt': `"${username}" "${decodeURIComponent(password)}"\n`,
    'pgbouncer.ini': `
      [databases]
      * = host=${hostname} port=${port || 5432} auth_user=${username}
      [pgbouncer]
      listen_addr = 127.0.0.1
      listen_port = $PORT
      unix_socket_dir =
      auth_type = scram-sha-256
      auth_file = $FOLDER/users.txt
      pool_mode = ${mode}
      ignore_startup_parameters = ${ignored.join(',')}
    `.replaceAll(/^ +/gm, ''),
  });
};

/** HAProxy in TCP mode before a server. */
export const startHaProxy = (serverUrl: string): Promise<MiddleProgram> => {
  const { hostname, port } = new URL(serverUrl);
  return start('haproxy', ['-db', '-f', 'haproxy.cfg'], {
    'haproxy.cfg': `
defaults
  mode tcp
  timeout connect 5s
  timeout client 60s
  timeout server 60s
listen postgresql
  bind 127.0.0.1:$PORT
  server one ${hostname}:${port || 5432}
`,
  });
};
