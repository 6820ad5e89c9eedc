import { hash, verify } from '@node-rs/argon2';
import type { Passwords } from '../../application/ports/identity/passwords.ts';

/** OWASP's recommendation for argon2id (which is the package's default algorithm): 19 MiB, two passes, one lane. */
const PARAMETERS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/** A hash that no password is known to have, at the same cost as the real ones. */
const NOBODYS_HASH = [
  '$argon2id$v=19',
  `m=${PARAMETERS.memoryCost},t=${PARAMETERS.timeCost},p=${PARAMETERS.parallelism}`,
  Buffer.alloc(16).toString('base64').replaceAll('=', ''),
  Buffer.alloc(32).toString('base64').replaceAll('=', ''),
].join('$');

/** argon2id, computed on the thread pool. */
export class Argon2Passwords implements Passwords {
  async hash(password: string): Promise<string> {
    return hash(password, PARAMETERS);
  }

  async verify(password: string, passwordHash: string | null): Promise<boolean> {
    try {
      return await verify(passwordHash ?? NOBODYS_HASH, password);
    } catch {
      // Not a PHC string: nobody's password.
      return false;
    }
  }
}
