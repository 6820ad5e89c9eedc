import type { SessionGrant } from '../../../application/identity/session-tokens.ts';

export const presentGrant = (grant: SessionGrant) => ({
  access_token: grant.accessToken,
  token_type: 'bearer',
  expires_in: grant.expiresInSeconds,
  refresh_token: grant.refreshToken,
  refresh_expires_in: grant.refreshExpiresInSeconds,
});
