import { createHash, randomBytes } from 'node:crypto';
import type { RefreshTokens } from '../../application/ports/identity/refresh-tokens.ts';

const BYTES = 32;

/** Tokens are 256 random bits in base64url. A fast hash protects them: unlike passwords, they cannot be guessed. */
export const randomRefreshTokens: RefreshTokens = {
  create: () => {
    const token = randomBytes(BYTES).toString('base64url');
    return { token, hash: randomRefreshTokens.hashOf(token) };
  },
  hashOf: (token) => createHash('sha256').update(token).digest(),
};
