import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';

/** The passwords are random keys, so more iterations add no protection, and every connect would pay for them. */
const ITERATIONS = 1;
const SALT_BYTES = 16;
const KEY_BYTES = 32;

interface ScramOptions {
  readonly salt?: Buffer;
  readonly iterations?: number;
}

/**
 * The verifier that PostgreSQL stores for a password (RFC 5803), for `create role … password`. A statement must not
 * hold the password itself: by default a server logs every statement that fails.
 *
 * @param password random and ASCII; SASLprep, which is left out here, would not change it
 * @param options.salt default: random
 */
export const scramVerifier = (
  password: string,
  { salt = randomBytes(SALT_BYTES), iterations = ITERATIONS }: ScramOptions = {},
): string => {
  const salted = pbkdf2Sync(password, salt, iterations, KEY_BYTES, 'sha256');
  const keyFor = (name: string): Buffer => createHmac('sha256', salted).update(name).digest();
  const storedKey = createHash('sha256').update(keyFor('Client Key')).digest('base64');
  const serverKey = keyFor('Server Key').toString('base64');
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey}:${serverKey}`;
};
