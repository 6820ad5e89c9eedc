import type { z } from 'zod';
import type { BrowserView } from '../../../application/identity/browser-session.ts';
import type { IssuedToken } from '../../../application/ports/identity/tokens.ts';
import type { browserTokenReply, sessionReply } from './console-schema.ts';

export const presentToken = ({
  accessToken,
  expiresInSeconds,
}: IssuedToken): z.output<typeof browserTokenReply> => ({
  access_token: accessToken,
  token_type: 'bearer',
  expires_in: expiresInSeconds,
});

export const presentSession = ({
  user,
  memberships,
  expiresAt,
}: BrowserView): z.output<typeof sessionReply> => ({
  user: { user_id: user.userId, email: user.email },
  platform_admin: user.platformAdmin,
  memberships: memberships.map(({ organizationId, roles }) => ({
    org_id: organizationId,
    roles: [...roles],
  })),
  expires_at: expiresAt.toISOString(),
});
