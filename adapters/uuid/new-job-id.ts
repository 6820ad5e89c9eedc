import { randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';

const BYTES = 16;

/** Asking the system for 16 bytes costs what asking for 4096 does. */
const pool = Buffer.alloc(256 * BYTES);
let used = pool.length;

const random = (): Uint8Array => {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += BYTES;
  return pool.subarray(used - BYTES, used);
};

/** UUIDs whose order is that of the milliseconds they were made in. */
export const newJobId = (): string => v7({ random: random() });
