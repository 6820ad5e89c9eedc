import { spawn } from 'node:child_process';
import { PROGRAM_ENVIRONMENT } from './run-command.ts';
import type { SystemUser } from './run-command.ts';

/**
 * The supervisor process. It starts the program and stops it when its standard input ends: this process has closed
 * the pipe or has died, even by SIGKILL. It sends SIGINT, at the deadline SIGQUIT, and at twice the deadline SIGKILL.
 *
 * It is JavaScript in a string for `node --eval`, because tsc would not copy a .js file into `dist`. A shell cannot
 * replace it: its background jobs ignore SIGINT, and it cannot wait for a program, its input and a deadline at once.
 * It runs as this process's user, because the server's user may not be able to run this Node (/root/.nvm).
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

/** The program has this long to end after SIGINT, and again after SIGQUIT. */
export const STOP_DEADLINE_MS = 10_000;

export interface SupervisedProgram {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly user: SystemUser | undefined;
  readonly environment?: Readonly<Record<string, string>>;
  /** The open file for standard output and standard error. */
  readonly logFd: number;
  /** An open file that the program and its children inherit as descriptor 3. */
  readonly lockFd: number;
}

export interface Supervised {
  /** Resolves with the exit status when the program and its supervisor have ended. Never rejects. */
  readonly exited: Promise<number>;
  hasExited(): boolean;
  /** Stops the program and waits for its end. Safe to call twice, and after the end. */
  stop(): Promise<void>;
}

/**
 * Runs a program that ends when this process ends. Both run in separate sessions: Ctrl-C in a terminal reaches only
 * this process, which stops the program when it no longer needs it.
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
  // Closing the pipe of a supervisor that has ended raises an error.
  supervisor.stdin?.on('error', () => undefined);
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
