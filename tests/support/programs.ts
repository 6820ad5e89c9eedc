import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { chmod, chown, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
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

export const isInstalled = (program: string): boolean => pathOf(program) !== undefined;

/** Leaves the tests of a suite out where the program is not installed, and says so. */
export const needsProgram = (suite: Mocha.Context, program: string): void => {
  if (isInstalled(program)) return;
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
  if (user !== undefined) await chown(folder, user.uid, user.gid);
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

/**
 * HAProxy before several servers, leading to the one whose check answers 200, as it stands before servers that Patroni
 * looks after.
 *
 * @param servers the port of each, and that of its HTTP check
 */
export const startHaProxyToPrimary = (
  servers: readonly { readonly port: number; readonly checkPort: number }[],
): Promise<MiddleProgram> =>
  start('haproxy', ['-db', '-f', 'haproxy.cfg'], {
    'haproxy.cfg': `
defaults
  mode tcp
  timeout connect 5s
  timeout client 60s
  timeout server 60s
listen primary
  bind 127.0.0.1:$PORT
  option httpchk GET /primary
  http-check expect status 200
  default-server inter 100ms fall 1 rise 1 on-marked-down shutdown-sessions
${servers.map(({ port, checkPort }) => `  server s${port} 127.0.0.1:${port} check port ${checkPort}`).join('\n')}
`,
  });

const NGINX_SITE = new URL('../../infrastructure/deployment/nginx/mad.conf', import.meta.url);

/** nginx with the site that operators are given, but for its addresses. */
export const startNginx = async (processUrls: readonly [string, string]): Promise<MiddleProgram> => {
  const addresses = { '80;': '127.0.0.1:$PORT;', ...toAddresses(processUrls) };
  let site = await readFile(fileURLToPath(NGINX_SITE), 'utf8');
  for (const [given, used] of Object.entries(addresses)) {
    if (site.split(given).length !== 2) throw new Error(`mad.conf names ${given} more or less than once`);
    // A function, for the text may hold `$`.
    site = site.replace(given, () => used);
  }
  return start('nginx', ['-p', '.', '-c', 'nginx.conf', '-e', 'stderr'], {
    'mad.conf': site,
    'nginx.conf': `
      daemon off;
      master_process off;
      error_log stderr;
      pid nginx.pid;
      events {}
      http {
        access_log off;
        client_body_temp_path bodies;
        proxy_temp_path answers;
        fastcgi_temp_path fastcgi;
        uwsgi_temp_path uwsgi;
        scgi_temp_path scgi;
        include mad.conf;
      }
    `,
  });
};

const toAddresses = ([one, other]: readonly [string, string]): Readonly<Record<string, string>> => ({
  '127.0.0.1:3001': new URL(one).host,
  '127.0.0.1:3002': new URL(other).host,
});
