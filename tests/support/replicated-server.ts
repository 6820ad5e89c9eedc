import { execFile } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import {
  dataDirectoryAt,
  SUPERUSER,
  type DataDirectory,
} from '../../infrastructure/local/embedded-postgres/cluster.ts';
import {
  startEmbeddedPostgres,
  type EmbeddedPostgres,
} from '../../infrastructure/local/embedded-postgres/embedded-postgres.ts';
import { findFreePort } from '../../infrastructure/local/embedded-postgres/free-port.ts';
import { until } from './gate.ts';
import { signal, stopProcesses } from './server-processes.ts';
import { createTestDirectory } from './test-directories.ts';

/** One of two servers with the same data, on a port that it keeps. */
export class ReplicatedServer {
  readonly port: number;
  readonly #data: DataDirectory;
  #running: EmbeddedPostgres | null = null;

  constructor(directory: string, port: number) {
    this.#data = dataDirectoryAt(directory);
    this.port = port;
  }

  async start(settings: Readonly<Record<string, string>> = {}): Promise<void> {
    this.#running = await startEmbeddedPostgres({
      dataDirectory: this.#data.root,
      port: this.port,
      durable: false,
      settings: { max_connections: '60', shared_buffers: '16MB', synchronous_commit: 'on', ...settings },
    });
  }

  /** Starts as a standby, and returns when it has all that the primary has. */
  async follow(primary: ReplicatedServer): Promise<void> {
    await writeFile(join(this.#data.cluster, 'standby.signal'), '');
    const password = await this.password();
    await this.start({
      primary_conninfo: `host=127.0.0.1 port=${primary.port} user=${SUPERUSER} password=${password}`,
    });
    await until('the standby follows', async () => {
      const rows = await primary.query(`select from pg_stat_replication where state = 'streaming'`);
      return rows.length === 1;
    });
  }

  /** Ends its sessions and waits for its end; a standby that follows it has everything by then. */
  async stop(): Promise<void> {
    await this.#running?.stop();
    this.#running = null;
  }

  /** SIGKILL for the server and all of its sessions: what it has not sent to a standby, it alone has. */
  async kill(): Promise<void> {
    for (const pid of await stopProcesses(this.#data.pidFile)) signal(pid, 'SIGKILL');
    await this.#running?.exited;
    this.#running = null;
  }

  /** It takes nothing from its primary any more, and answers nobody, until what is returned is called. */
  async hang(): Promise<() => void> {
    const stopped = await stopProcesses(this.#data.pidFile);
    return () => {
      for (const pid of stopped) signal(pid, 'SIGCONT');
    };
  }

  /** Copies the data of a stopped server, with their owner: what a base backup would give. */
  async copyFrom(other: ReplicatedServer): Promise<void> {
    const { cluster, password } = other.#data;
    await promisify(execFile)('cp', ['-a', cluster, password, this.#data.root]);
  }

  /** One statement as the administrator, straight to this server. */
  async query(statement: string, database = 'postgres'): Promise<readonly object[]> {
    const client = new Client({
      host: '127.0.0.1',
      port: this.port,
      user: SUPERUSER,
      password: await this.password(),
      database,
    });
    await client.connect();
    try {
      return (await client.query<object>(statement)).rows;
    } finally {
      await client.end();
    }
  }

  password(): Promise<string> {
    return readFile(this.#data.password, 'utf8');
  }

  async remove(): Promise<void> {
    await this.stop();
    await rm(this.#data.root, { recursive: true, force: true });
  }
}

export interface ReplicatedServers {
  readonly primary: ReplicatedServer;
  readonly standby: ReplicatedServer;
  /** Names both, the primary first, and asks for the one that takes writes. */
  readonly url: string;
  remove(): Promise<void>;
}

/** Starts a primary and a standby that follows it. */
export const startReplicatedServers = async (): Promise<ReplicatedServers> => {
  const primary = new ReplicatedServer(await createTestDirectory(), await findFreePort(undefined));
  const standby = new ReplicatedServer(await createTestDirectory(), await findFreePort(undefined));
  const remove = async (): Promise<void> => {
    await Promise.all([primary.remove(), standby.remove()]);
  };
  try {
    await primary.start();
    await primary.stop();
    await standby.copyFrom(primary);
    await primary.start();
    await standby.follow(primary);
  } catch (error) {
    await remove();
    throw error;
  }
  const hosts = [primary, standby].map(({ port }) => `127.0.0.1:${port}`).join(',');
  const url = `postgresql://${SUPERUSER}:${await primary.password()}@${hosts}/postgres?target_session_attrs=read-write`;
  return { primary, standby, url, remove };
};
