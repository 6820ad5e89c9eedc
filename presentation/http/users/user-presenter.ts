import type { Membership, User } from '../../../domain/identity/user-repository.ts';

export const presentUser = (user: User) => ({
  user_id: user.userId,
  email: user.email,
  status: user.active ? 'active' : 'disabled',
  platform_admin: user.platformAdmin,
  has_password: user.hasPassword,
  must_change_password: user.mustChangePassword,
  created_at: user.createdAt.toISOString(),
  updated_at: user.updatedAt.toISOString(),
});

export const presentOwnUser = (user: User, memberships: readonly Membership[]) => ({
  ...presentUser(user),
  memberships: memberships.map(({ organizationId, roles }) => ({ org_id: organizationId, roles })),
});
