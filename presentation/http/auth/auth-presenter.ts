import type { z } from 'zod';
import type { SessionGrant } from '../../../application/identity/session-tokens.ts';
import type { tokenReply } from './auth-schema.ts';

export const presentGrant = (grant: SessionGrant): z.output<typeof tokenReply> => ({
  access_token: grant.accessToken,
  token_type: 'bearer',
  expires_in: grant.expiresInSeconds,
  refresh_token: grant.refreshToken,
  refresh_expires_in: grant.refreshExpiresInSeconds,
});
