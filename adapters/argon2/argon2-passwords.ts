import { hash, verify } from '@node-rs/argon2';
import type { Passwords } from '../../application/ports/identity/passwords.ts';
import { BoundedWork, type WorkBounds } from './bounded-work.ts';

/** OWASP's recommendation for argon2id, the package's default algorithm: 19 MiB, two passes, one lane. */
const PARAMETERS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/** A hash with no known password and the same cost. Verifying it hides by time that a user does not exist. */
const DUMMY_HASH = [
  '$argon2id$v=19',
  `m=${PARAMETERS.memoryCost},t=${PARAMETERS.timeCost},p=${PARAMETERS.parallelism}`,
  Buffer.alloc(16).toString('base64').replaceAll('=', ''),
  Buffer.alloc(32).toString('base64').replaceAll('=', ''),
].join('$');

/** Each takes some 20 ms of a core, 19 MiB, and one of the four threads that also read files and look up names. */
const BOUNDS = { maxConcurrent: 2, maxWaiting: 100, deadlineMs: 10_000 } as const;

/** Hashes with argon2id on Node's thread pool, so the event loop does not block. Decision 0035. */
export class Argon2Passwords implements Passwords {
  readonly #work: BoundedWork;

  constructor(bounds: WorkBounds = BOUNDS) {
    this.#work = new BoundedWork(bounds);
  }

  hash(password: string): Promise<string> {
    return this.#work.run(() => hash(password, PARAMETERS));
  }

  verify(password: string, passwordHash: string | null): Promise<boolean> {
    return this.#work.run(async () => {
      try {
        return await verify(passwordHash ?? DUMMY_HASH, password);
      } catch {
        // The stored text is no PHC string, so no password matches it.
        return false;
      }
    });
  }
}
