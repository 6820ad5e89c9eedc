import { readFileSync } from 'node:fs';

/** Whether a process runs. One that has ended, and whose parent has not looked yet, does not. */
export const isAlive = (pid: number): boolean => {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
};
