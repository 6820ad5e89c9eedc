import { randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';

const BYTES = 16;

/** One call for 4096 random bytes costs as much as one for 16, so the bytes are drawn in bulk. */
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

/** Returns a UUID of version 7. Ids sort by the millisecond in which they were made. */
export const newJobId = (): string => v7({ random: random() });
