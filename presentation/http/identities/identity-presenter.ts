import type { ExternalIdentity } from '../../../domain/identity/identity-repository.ts';

export const presentIdentity = (identity: ExternalIdentity) => ({
  identity_id: identity.identityId,
  issuer: identity.issuer,
  subject: identity.subject,
  created_at: identity.createdAt.toISOString(),
});
