import type { z } from 'zod';
import type { Invitation } from '../../../domain/identity/member-repository.ts';
import type { LiveSession } from '../../../domain/identity/session-repository.ts';
import type { Membership, User } from '../../../domain/identity/user-repository.ts';
import type { ownReply, userReply } from './user-schema.ts';

export const presentUser = (user: User): z.output<typeof userReply> => ({
  user_id: user.userId,
  email: user.email,
  status: user.active ? 'active' : 'disabled',
  platform_admin: user.platformAdmin,
  has_password: user.hasPassword,
  must_change_password: user.mustChangePassword,
  created_at: user.createdAt.toISOString(),
  updated_at: user.updatedAt.toISOString(),
});

export const presentSession = (session: LiveSession) => ({
  session_id: session.sessionId,
  org_id: session.organizationId,
  kind: session.isBrowser ? 'browser' : 'tokens',
  opened_at: session.openedAt.toISOString(),
  used_at: session.usedAt?.toISOString() ?? null,
  expires_at: session.expiresAt.toISOString(),
});

export const presentOwnUser = (
  user: User,
  memberships: readonly Membership[],
  invitations: readonly Invitation[],
): z.output<typeof ownReply> => ({
  ...presentUser(user),
  memberships: memberships.map(({ organizationId, roles }) => ({
    org_id: organizationId,
    roles: [...roles],
  })),
  invitations: invitations.map(({ organizationId, roles, createdAt }) => ({
    org_id: organizationId,
    roles: [...roles],
    created_at: createdAt.toISOString(),
  })),
});
