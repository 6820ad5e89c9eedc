import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compiledModule } from './compiled-project.ts';
import { until } from './gate.ts';

const ENTRY = new URL('../../infrastructure/bin/http.ts', import.meta.url);
const START_DEADLINE_MS = 20_000;

/** The service as an operator starts it: a process of its own, with no other environment than the given one. */
export interface HttpProcess {
  readonly pid: number;
  /** Resolves once it listens; rejects with what it wrote when it ended before. */
  listening(): Promise<string>;
  readonly exited: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  stdout(): string;
  stderr(): string;
  kill(signal: 'SIGTERM' | 'SIGINT' | 'SIGHUP'): void;
  /** Ends it whatever it does, and removes its working directory. */
  dispose(): Promise<void>;
}

/**
 * @param command what starts another release of the service, for Node; this one's by default
 * @param givenDirectory to work in, which the test removes; by default one that `dispose` does
 */
export const startHttpProcess = async (
  environment: Readonly<Record<string, string>>,
  command: readonly string[] | null = null,
  givenDirectory: string | null = null,
): Promise<HttpProcess> => {
  const given = command ?? [await compiledModule(ENTRY)];
  const directory = givenDirectory ?? (await mkdtemp(join(tmpdir(), 'mad-test-process-')));
  const child = spawn(process.execPath, given, {
    cwd: directory,
    env: { PATH: process.env['PATH'], HOME: directory, TMPDIR: tmpdir(), LOG_LEVEL: 'info', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  let ended = false;
  const exited = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.once('close', (code, signal) => {
      ended = true;
      resolve({ code, signal });
    });
  });
  const address = (): string | undefined =>
    /"url":"(http:\/\/[^"]+)"[^\n]*"msg":"listening"/.exec(stdout)?.[1];
  return {
    // A process that was spawned has one; one that was not fails to listen.
    pid: child.pid ?? 0,
    exited,
    stdout: () => stdout,
    stderr: () => stderr,
    kill: (signal) => child.kill(signal),
    listening: async () => {
      await until('the process listens', () => ended || address() !== undefined, START_DEADLINE_MS);
      const url = address();
      if (url === undefined) throw new Error(`the process ended before it listened:\n${stderr}`);
      return url;
    },
    dispose: async () => {
      child.kill('SIGKILL');
      await exited;
      if (givenDirectory === null) await rm(directory, { recursive: true, force: true });
    },
  };
};
