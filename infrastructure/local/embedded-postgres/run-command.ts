import { spawn } from 'node:child_process';
import type { StdioOptions } from 'node:child_process';

/** The operating-system account a program runs as. */
export interface SystemUser {
  readonly uid: number;
  readonly gid: number;
}

export interface CommandResult {
  /** Exit status; undefined when the program could not be started or a signal ended it. */
  readonly status: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * What programs see of the environment: nothing of ours, so that no PG* variable leads the server astray; messages
 * in English, because some are read; UTC, which also saves initdb its search for the local time zone.
 */
export const PROGRAM_ENVIRONMENT = {
  LC_ALL: 'C',
  TZ: 'UTC',
  PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin',
};

const COMMAND_DEADLINE_MS = 30_000;

/**
 * Runs a short program to its end and never rejects: a program that cannot be started has status undefined and the
 * reason in `stderr`.
 *
 * @param options.user the account to run as; ours by default
 * @param options.inheritedFd an open file the program gets as its descriptor 3
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
