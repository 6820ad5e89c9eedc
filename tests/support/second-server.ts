import { rm } from 'node:fs/promises';
import { dataDirectoryAt } from '../../infrastructure/local/embedded-postgres/cluster.ts';
import {
  startEmbeddedPostgres,
  type EmbeddedPostgres,
} from '../../infrastructure/local/embedded-postgres/embedded-postgres.ts';
import { findFreePort } from '../../infrastructure/local/embedded-postgres/free-port.ts';
import { signal, stopProcesses } from './server-processes.ts';
import { createTestDirectory } from './test-directories.ts';

/** A commit that was acknowledged is in a file: it survives the server, if not the machine. */
const SETTINGS = { max_connections: '100', shared_buffers: '32MB', synchronous_commit: 'on' };

/** A PostgreSQL server beside the shared one, which a test may kill, stop and bring back. It keeps its port and data. */
export class SecondServer {
  readonly url: string;
  readonly #directory: string;
  readonly #port: number;
  #running: EmbeddedPostgres | null;
  #stopped: readonly number[] = [];

  private constructor(directory: string, port: number, running: EmbeddedPostgres) {
    this.#directory = directory;
    this.#port = port;
    this.#running = running;
    this.url = running.url;
  }

  /** Call `remove` at the end. */
  static async start(): Promise<SecondServer> {
    const directory = await createTestDirectory();
    const port = await findFreePort(undefined);
    return new SecondServer(directory, port, await run(directory, port));
  }

  /** SIGKILL for the server and all of its sessions; resolves when the port refuses connections. */
  async kill(): Promise<void> {
    const running = this.#running;
    if (running === null) return;
    // A session that began meanwhile would live on, and wait for ever for a lock of one that was killed.
    for (const pid of await stopProcesses(this.#pidFile)) signal(pid, 'SIGKILL');
    await running.exited;
    this.#running = null;
    this.#stopped = [];
  }

  /** After `kill`. Resolves when the server takes connections again. */
  async restart(): Promise<void> {
    this.#running ??= await run(this.#directory, this.#port);
  }

  /** SIGSTOP for the server and all of its sessions: its port takes connections, and nobody answers on them. */
  async hang(): Promise<void> {
    this.#stopped = await stopProcesses(this.#pidFile);
  }

  /** After `hang`. Safe to call without one. */
  goOn(): void {
    for (const pid of this.#stopped) signal(pid, 'SIGCONT');
    this.#stopped = [];
  }

  /** Running again, whatever happened to it. */
  async recover(): Promise<void> {
    this.goOn();
    await this.restart();
  }

  async remove(): Promise<void> {
    this.goOn();
    await this.#running?.stop();
    await rm(this.#directory, { recursive: true, force: true });
  }

  get #pidFile(): string {
    return dataDirectoryAt(this.#directory).pidFile;
  }
}

const run = (dataDirectory: string, port: number): Promise<EmbeddedPostgres> =>
  startEmbeddedPostgres({ dataDirectory, port, durable: false, settings: SETTINGS });
