import type { z } from 'zod';
import type { ExternalIdentity } from '../../../domain/identity/identity-repository.ts';
import type { identityReply } from './identity-schema.ts';

export const presentIdentity = (identity: ExternalIdentity): z.output<typeof identityReply> => ({
  identity_id: identity.identityId,
  issuer: identity.issuer,
  subject: identity.subject,
  created_at: identity.createdAt.toISOString(),
});
