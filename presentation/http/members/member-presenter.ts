import type { z } from 'zod';
import type { Member } from '../../../domain/identity/member-repository.ts';
import type { memberReply } from './member-schema.ts';

export const presentMember = (member: Member): z.output<typeof memberReply> => ({
  user_id: member.userId,
  email: member.email,
  status: member.status,
  roles: [...member.roles],
  created_at: member.createdAt.toISOString(),
  updated_at: member.updatedAt.toISOString(),
});
