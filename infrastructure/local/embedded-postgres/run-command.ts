import { spawn } from 'node:child_process';
import type { StdioOptions } from 'node:child_process';

/** An account of the operating system. */
export interface SystemUser {
  readonly uid: number;
  readonly gid: number;
}

export interface CommandResult {
  /** The exit status; undefined when the program could not be started or a signal ended it. */
  readonly status: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * The environment of all child programs. It inherits nothing, so that no PG* variable changes the server's settings.
 * Messages are in English, because the code parses some of them. UTC spares initdb the search for the local time zone.
 */
export const PROGRAM_ENVIRONMENT = {
  LC_ALL: 'C',
  TZ: 'UTC',
  PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin',
};

/** Whether PostgreSQL's programs can lie there: initdb puts the paths of others between double quotes, for a shell. */
export const isPlainPath = (path: string): boolean => !/["$`\\\n\r]/.test(path);

const COMMAND_DEADLINE_MS = 30_000;

/**
 * Runs a short program and waits for its end, for 30 s at most. Never rejects: when the program cannot be started, the
 * status is undefined and `stderr` holds the reason.
 *
 * @param options.user the account to run as; default: this process's
 * @param options.inheritedFd an open file that the program gets as descriptor 3
 */
export const runCommand = (
  command: string,
  args: readonly string[],
  options: { readonly user?: SystemUser | undefined; readonly inheritedFd?: number } = {},
): Promise<CommandResult> =>
  new Promise((resolve) => {
    const stdio: StdioOptions = ['ignore', 'pipe', 'pipe'];
    if (options.inheritedFd !== undefined) stdio.push(options.inheritedFd);
    const child = spawn(command, args, {
      cwd: '/',
      env: PROGRAM_ENVIRONMENT,
      stdio,
      timeout: COMMAND_DEADLINE_MS,
      ...(options.user && { uid: options.user.uid, gid: options.user.gid }),
    });
    let stdout = '';
    let stderr = '';
    child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.on('error', (error) => resolve({ status: undefined, stdout, stderr: error.message }));
    child.on('close', (status) => resolve({ status: status ?? undefined, stdout, stderr }));
  });
