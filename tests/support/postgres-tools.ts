import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { appendFile, chown, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findFreePort } from '../../infrastructure/local/embedded-postgres/free-port.ts';
import { findServerUser } from '../../infrastructure/local/embedded-postgres/server-user.ts';
import { until } from './gate.ts';
import { createTestDirectory } from './test-directories.ts';

const VERSIONS = '/usr/lib/postgresql';
const NEEDED = ['initdb', 'pg_ctl', 'pg_basebackup', 'pg_dump', 'pg_dumpall', 'pg_restore', 'psql'];

/** Where Debian keeps a server with all of its tools, the newest of them. The embedded server has no tools. */
const toolsFolder = (): string | undefined => {
  const versions = existsSync(VERSIONS) ? readdirSync(VERSIONS) : [];
  return versions
    .toSorted((one, other) => Number(other) - Number(one))
    .map((version) => join(VERSIONS, version, 'bin'))
    .find((folder) => NEEDED.every((program) => existsSync(join(folder, program))));
};

/** Leaves the tests of a suite out where Debian's PostgreSQL is not installed, and says so. */
export const needsPostgresTools = (suite: Mocha.Context): void => {
  if (toolsFolder() !== undefined) return;
  process.stderr.write('  postgresql is not installed with its tools: their tests are left out\n');
  suite.skip();
};

const SERVICE = 'app';

/** A server of Debian's with an archive of its WAL, and its own tools to back it up. */
export class ToolServer {
  /** Of the service's login, when there is one. */
  readonly url: string;
  readonly #archive: string;
  readonly #folder: string;
  readonly #port: number;
  #data: string;

  private constructor(folder: string, port: number) {
    this.#folder = folder;
    this.#port = port;
    this.#data = join(folder, 'data');
    this.#archive = join(folder, 'archive');
    this.url = `postgresql://${SERVICE}@127.0.0.1:${port}/postgres`;
  }

  /** Call `remove` at the end. */
  static async start(): Promise<ToolServer> {
    const server = new ToolServer(await createTestDirectory(), await findFreePort(undefined));
    const user = await findServerUser(join(server.#folder, 'nobody has this'));
    if (user !== undefined) await chown(server.#folder, user.uid, user.gid);
    await server.run('initdb', ['-D', server.#data, '-U', 'postgres', '-A', 'trust', '--locale=C.UTF-8']);
    await promisify(execFile)('mkdir', [server.#archive], { ...user });
    await appendFile(
      join(server.#data, 'postgresql.conf'),
      `
        port = ${server.#port}
        listen_addresses = '127.0.0.1'
        unix_socket_directories = ''
        fsync = off
        archive_mode = on
        archive_command = 'test ! -f ${server.#archive}/%f && cp %p ${server.#archive}/%f'
      `.replaceAll(/^ +/gm, ''),
    );
    await server.begin();
    return server;
  }

  /** Gives the service its login, which may make databases and roles, and is no superuser. */
  async addLogin(): Promise<void> {
    await this.run('psql', ['-d', 'postgres', '-c', `create role ${SERVICE} login createdb createrole`]);
  }

  hasArchived(walFile: string): boolean {
    return existsSync(join(this.#archive, walFile));
  }

  /** A path that the server's user may write. */
  path(name: string): string {
    return join(this.#folder, name);
  }

  /** Runs one of the tools on this server, as its administrator or another login; returns what it wrote. */
  async run(program: string, args: readonly string[], login = 'postgres'): Promise<string> {
    const user = await findServerUser(this.#folder);
    const { stdout } = await promisify(execFile)(join(toolsFolder() ?? '', program), args, {
      cwd: this.#folder,
      env: { PGHOST: '127.0.0.1', PGPORT: String(this.#port), PGUSER: login, TZ: 'UTC' },
      ...user,
    });
    return stdout;
  }

  async begin(): Promise<void> {
    await this.run('pg_ctl', ['start', '-w', '-D', this.#data, '-l', this.path('log')]);
  }

  async stop(mode: 'fast' | 'immediate' = 'fast'): Promise<void> {
    await this.run('pg_ctl', ['stop', '-w', '-m', mode, '-D', this.#data]);
  }

  /** Puts a base backup in the place of the data, to be recovered from the archive up to a restore point. */
  async restoreTo(backup: string, restorePoint: string): Promise<void> {
    await rm(this.#data, { recursive: true });
    const user = await findServerUser(this.#folder);
    await promisify(execFile)('cp', ['-a', backup, this.#data], { ...user });
    await appendFile(
      join(this.#data, 'postgresql.conf'),
      `restore_command = 'cp ${this.#archive}/%f %p'\nrecovery_target_name = '${restorePoint}'\nrecovery_target_action = promote\n`,
    );
    await writeFile(join(this.#data, 'recovery.signal'), '');
    await this.begin();
    // It takes sessions before it takes writes.
    await until('the recovery is over', async () => {
      const isOn = await this.run('psql', ['-d', 'postgres', '-Atc', 'select pg_is_in_recovery()']);
      return isOn.trim() === 'f';
    });
  }

  async remove(): Promise<void> {
    await this.stop('immediate').catch(() => undefined);
    await rm(this.#folder, { recursive: true, force: true });
  }
}
