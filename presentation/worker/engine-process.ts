import { spawn, type ChildProcess } from 'node:child_process';
import { EngineLog } from './engine-log.ts';
import type { Pause } from './retry.ts';

export interface EngineCommand {
  readonly program: string;
  readonly arguments: readonly string[];
  readonly folder: string;
  /** All of its environment: the worker's own holds credentials. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface EngineEnd {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** From the polite signal to the one that cannot be ignored. */
const PATIENCE_MS = 5000;

/**
 * One run of an engine, as the leader of a process group of its own: what it starts ends with it, and a terminal's Ctrl-C
 * reaches the worker alone.
 */
export class EngineProcess {
  readonly errors = new EngineLog();
  /** Standard output and standard error, in the order in which they came. */
  readonly log = new EngineLog();
  /** Resolves once no process of the group is left. Rejects when the program cannot be started. */
  readonly ended: Promise<EngineEnd>;
  readonly #child: ChildProcess;
  readonly #wait: Pause;
  #stopping: Promise<void> | null = null;

  constructor(
    command: EngineCommand,
    { wait, onOutput }: { readonly wait: Pause; readonly onOutput: (chunk: Buffer) => void },
  ) {
    this.#wait = wait;
    const child = spawn(command.program, command.arguments, {
      cwd: command.folder,
      env: command.environment,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    this.#child = child;
    child.stdout.on('data', (chunk: Buffer) => {
      this.log.add(chunk);
      onOutput(chunk);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      this.log.add(chunk);
      this.errors.add(chunk);
    });
    this.ended = new Promise((resolve, reject) => {
      child.once('error', reject);
      // Processes that it left behind would hold its pipes open, and use the next job's cores.
      child.once('exit', () => this.#signal('SIGKILL'));
      child.once('close', (exitCode, signal) => resolve({ exitCode, signal }));
    });
    this.ended.catch(() => undefined);
  }

  /** Ends the whole group, within seconds. Resolves when it has ended. May be called again. */
  stop(): Promise<void> {
    return (this.#stopping ??= this.#stop());
  }

  async #stop(): Promise<void> {
    const patience = new AbortController();
    const ended = this.ended.then(
      () => undefined,
      () => undefined,
    );
    this.#signal('SIGTERM');
    await Promise.race([ended, this.#wait(PATIENCE_MS, patience.signal)]);
    this.#signal('SIGKILL');
    await ended;
    patience.abort();
  }

  #signal(signal: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      process.kill(-pid, signal);
    } catch (error) {
      // The group is empty.
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
    }
  }
}
