import type { z } from 'zod';
import type { SessionGrant } from '../../../application/identity/session-tokens.ts';
import type { IssuedToken } from '../../../application/ports/identity/tokens.ts';
import type { bareTokenReply, tokenReply } from './auth-schema.ts';

export const presentToken = (token: IssuedToken): z.output<typeof bareTokenReply> => ({
  access_token: token.accessToken,
  token_type: 'bearer',
  expires_in: token.expiresInSeconds,
});

export const presentGrant = (grant: SessionGrant): z.output<typeof tokenReply> => ({
  ...presentToken(grant),
  refresh_token: grant.refreshToken,
  refresh_expires_in: grant.refreshExpiresInSeconds,
});
