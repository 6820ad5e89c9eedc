import { hash, verify } from '@node-rs/argon2';
import type { Passwords } from '../../application/ports/identity/passwords.ts';

/** OWASP's recommendation for argon2id, the package's default algorithm: 19 MiB, two passes, one lane. */
const PARAMETERS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/** A hash with no known password and the same cost. Verifying it hides by time that a user does not exist. */
const DUMMY_HASH = [
  '$argon2id$v=19',
  `m=${PARAMETERS.memoryCost},t=${PARAMETERS.timeCost},p=${PARAMETERS.parallelism}`,
  Buffer.alloc(16).toString('base64').replaceAll('=', ''),
  Buffer.alloc(32).toString('base64').replaceAll('=', ''),
].join('$');

/** Hashes with argon2id on Node's thread pool, so the event loop does not block. */
export class Argon2Passwords implements Passwords {
  async hash(password: string): Promise<string> {
    return hash(password, PARAMETERS);
  }

  async verify(password: string, passwordHash: string | null): Promise<boolean> {
    try {
      return await verify(passwordHash ?? DUMMY_HASH, password);
    } catch {
      // The stored text is no PHC string, so no password matches it.
      return false;
    }
  }
}
