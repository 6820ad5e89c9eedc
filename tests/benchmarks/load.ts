import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface LoadRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly token: string;
  readonly body?: string;
  /** Sent with an Idempotency-Key, a new one each time. Default: without. */
  readonly keyed?: boolean;
}

/** `burst`: all at once. `paced`: one after another at their times until told to stop. `closed`: so many at a time. */
export interface LoadTask {
  readonly url: string;
  readonly requests: readonly LoadRequest[];
  readonly mode:
    | { readonly kind: 'burst' }
    | { readonly kind: 'paced'; readonly perSecond: number }
    | { readonly kind: 'closed'; readonly concurrency: number; readonly total: number };
}

export interface LoadResult {
  /** Of each request, in milliseconds. */
  readonly latencies: readonly number[];
  /** Status lines of answers other than 2xx. */
  readonly failures: readonly string[];
}

const MAIN = fileURLToPath(new URL('./load-client.ts', import.meta.url));

/** Clients in a process of their own, so that what they cost is not counted as the service's. */
export class LoadClient {
  readonly #child = fork(MAIN, { execArgv: ['--import', 'tsx'] });

  /** Runs a task; `stop` ends a paced one. A failed request fails the benchmark: its figures would mean nothing. */
  start(task: LoadTask): { readonly done: Promise<readonly number[]>; stop(): void } {
    const child = this.#child;
    child.send(task);
    // The child answers each task with one message of this type.
    const answered = once(child, 'message') as Promise<[LoadResult]>;
    return {
      stop: () => void child.send('stop'),
      done: answered.then(([{ latencies, failures }]) => {
        if (failures.length > 0) throw new Error(`${failures.length} requests failed: ${failures[0]}`);
        return latencies;
      }),
    };
  }

  run(task: LoadTask): Promise<readonly number[]> {
    return this.start(task).done;
  }

  close(): void {
    this.#child.disconnect();
  }
}
