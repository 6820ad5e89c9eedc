import { spawn } from 'node:child_process';
import { PROGRAM_ENVIRONMENT } from './run-command.ts';
import type { SystemUser } from './run-command.ts';

/**
 * The watchdog between us and the server: it starts the program, and when its standard input ends (because we closed
 * it, or because we died, be it of SIGKILL) it stops the program: SIGINT, at the deadline SIGQUIT, at last SIGKILL.
 *
 * Plain JavaScript in a string for `node -e`: a file of its own would be missing from `dist` (tsc copies no .js) or
 * need the loader (tsx). Not /bin/sh, whose background jobs start with SIGINT ignored, and which cannot wait for the
 * program, its input and a deadline at once without stray processes. Root keeps the supervisor: the server's user may
 * not be able to run this Node (/root/.nvm).
 */
const SUPERVISOR_SOURCE = `
const { spawn } = require('node:child_process');
const { command, args, options, stopDeadlineMs } = JSON.parse(process.argv[1]);
process.title = 'supervisor of ' + command;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']) process.on(signal, () => {});
const server = spawn(command, args, { ...options, stdio: ['ignore', 'inherit', 'inherit', 3] });
server.on('error', (error) => { console.error(error.message); process.exit(127); });
server.on('exit', (code) => process.exit(code ?? 1));
let stopping = false;
const stop = () => {
  if (stopping) return;
  stopping = true;
  server.kill('SIGINT');
  setTimeout(() => server.kill('SIGQUIT'), stopDeadlineMs);
  setTimeout(() => server.kill('SIGKILL'), stopDeadlineMs * 2);
};
process.stdin.on('end', stop).on('close', stop).on('error', stop).resume();
`;

/** How long the program has after SIGINT, and after SIGQUIT. */
export const STOP_DEADLINE_MS = 10_000;

export interface SupervisedProgram {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly user: SystemUser | undefined;
  readonly environment?: Readonly<Record<string, string>>;
  /** Open file that receives standard output and error. */
  readonly logFd: number;
  /** Open file the program and its children hold until the last of them ends. */
  readonly lockFd: number;
}

export interface Supervised {
  /** Resolves with the exit status when the program and its supervisor are gone. */
  readonly exited: Promise<number>;
  hasExited(): boolean;
  /** Stops the program and waits for its end; safe to call twice, and after the end. */
  stop(): Promise<void>;
}

/**
 * Runs a program that does not outlive this process. It stands in a session of its own, so that Ctrl-C in a terminal
 * reaches this process alone, which then stops the program when it has no more use for it.
 */
export const supervise = (program: SupervisedProgram): Supervised => {
  const { command, args, cwd, user, logFd, lockFd } = program;
  const environment = { ...PROGRAM_ENVIRONMENT, ...program.environment };
  const options = { cwd, env: environment, ...(user && { uid: user.uid, gid: user.gid }) };
  const order = JSON.stringify({ command, args, options, stopDeadlineMs: STOP_DEADLINE_MS });
  const supervisor = spawn(
    process.execPath,
    ['--input-type=commonjs', '--eval', SUPERVISOR_SOURCE, '--', order],
    { cwd: '/', env: PROGRAM_ENVIRONMENT, detached: true, stdio: ['pipe', logFd, logFd, lockFd] },
  );
  supervisor.stdin?.on('error', () => undefined); // closing the pipe of a supervisor that is gone
  const exited = new Promise<number>((resolve) => {
    supervisor.on('exit', (status) => resolve(status ?? 1));
    supervisor.on('error', () => resolve(127));
  });
  let over = false;
  void exited.then(() => (over = true));
  return {
    exited,
    hasExited: () => over,
    stop: async () => {
      supervisor.stdin?.destroy();
      await exited;
    },
  };
};
