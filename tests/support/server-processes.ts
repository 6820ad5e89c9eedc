import { readFile, readdir } from 'node:fs/promises';

/** A PostgreSQL server's postmaster, then its children. Linux only: other systems have no /proc. */
export const serverProcesses = async (pidFile: string): Promise<readonly number[]> => {
  const postmaster = Number((await readFile(pidFile, 'utf8')).split('\n')[0]);
  const children: number[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
    const [, parent] = /^\d+ \(.*\) \S (\d+)/.exec(stat) ?? [];
    if (Number(parent) === postmaster) children.push(Number(name));
  }
  return [postmaster, ...children];
};

/** SIGSTOP for all of them: the port takes connections, and nobody answers. Returns whom `signal` wakes again. */
export const stopProcesses = async (pidFile: string): Promise<readonly number[]> => {
  const seen = new Set<number>();
  // The postmaster stands still first, so a second look finds every session that it has begun.
  for (;;) {
    const fresh = (await serverProcesses(pidFile)).filter((pid) => !seen.has(pid));
    if (fresh.length === 0) return [...seen];
    for (const pid of fresh) {
      signal(pid, 'SIGSTOP');
      seen.add(pid);
    }
  }
};

/** Does nothing for a process that has ended. */
export const signal = (pid: number, name: NodeJS.Signals): void => {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
};
