import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/**
 * - `service`: this one, as `npm run start:built` starts it.
 * - `raw`: `node:http` and a prepared statement on one database, and nothing else.
 * - `raw-files`: `node:http`, a file and its hash.
 * - `naive`: Express, helmet, jsonwebtoken with its secret as text, zod, and a Map of Knex instances.
 */
export interface ServerStart {
  readonly kind: 'service' | 'raw' | 'raw-files' | 'naive';
  readonly environment: Readonly<Record<string, string>>;
  /** The folder of a built checkout, in place of this one. Of the service alone. */
  readonly checkout?: string;
}

export type ServerMessage =
  { readonly url: string } | { readonly cpuMicroseconds: number; readonly mostMemoryBytes: number };

const MAIN = fileURLToPath(new URL('./server-main.ts', import.meta.url));

/** A server in a process of its own, which tells what it costs. */
export class ServerProcess {
  readonly url: string;
  readonly #child: ReturnType<typeof fork>;

  private constructor(child: ReturnType<typeof fork>, url: string) {
    this.#child = child;
    this.url = url;
  }

  /** @param flags of Node, such as `--cpu-prof` */
  static async start(start: ServerStart, flags: readonly string[] = []): Promise<ServerProcess> {
    const child = fork(MAIN, {
      execArgv: ['--import', 'tsx', ...flags],
      // Log lines are written, as they are in production, and read by nobody.
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    child.send(start);
    const message = await reply(child);
    if (!('url' in message)) throw new Error('a server that does not say where it listens');
    return new ServerProcess(child, message.url);
  }

  /** CPU time of the process, user and system, while `work` goes on; in microseconds. */
  async cpuOf(work: () => Promise<unknown>): Promise<number> {
    const before = await this.#cpu();
    await work();
    return (await this.#cpu()) - before;
  }

  /** The most memory that the process ever had at once. */
  async mostMemoryBytes(): Promise<number> {
    return (await this.#usage()).mostMemoryBytes;
  }

  async close(): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.disconnect();
    await exited;
  }

  async #cpu(): Promise<number> {
    return (await this.#usage()).cpuMicroseconds;
  }

  async #usage() {
    this.#child.send('usage');
    const message = await reply(this.#child);
    if (!('cpuMicroseconds' in message)) throw new Error('a server that does not say what it costs');
    return message;
  }
}

const reply = async (child: ReturnType<typeof fork>): Promise<ServerMessage> => {
  // Rejects when the child ends without an answer. It answers each message with one of this type.
  const ended = new AbortController();
  const onExit = (): void => ended.abort(new Error('the server process ended'));
  child.once('exit', onExit);
  try {
    const [message] = (await once(child, 'message', { signal: ended.signal })) as [ServerMessage];
    return message;
  } finally {
    child.off('exit', onExit);
  }
};
