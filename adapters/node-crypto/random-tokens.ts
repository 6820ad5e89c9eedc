import { createHash, randomBytes } from 'node:crypto';
import type { RandomTokens } from '../../application/ports/identity/random-tokens.ts';

const BYTES = 32;

const hashOf = (token: string): Uint8Array => createHash('sha256').update(token).digest();

/**
 * Tokens are 256 random bits in base64url. A fast hash protects them: unlike passwords, they cannot be guessed.
 *
 * @param prefix what a token is recognized by, where one has got into a log or a repository
 */
const randomTokens = (prefix: string): RandomTokens => ({
  create: () => {
    const token = `${prefix}${randomBytes(BYTES).toString('base64url')}`;
    return { token, hash: hashOf(token) };
  },
  hashOf,
});

export const randomRefreshTokens = randomTokens('');
export const randomServiceKeys = randomTokens('mad_sk_');
