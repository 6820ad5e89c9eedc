import type { z } from 'zod';
import type { NewKey } from '../../../application/service-accounts/add-service-account-key.ts';
import type {
  ServiceAccount,
  ServiceAccountKey,
} from '../../../domain/identity/service-account-repository.ts';
import type { createdReply, newKeyReply, serviceAccountReply } from './service-account-schema.ts';

export const presentServiceAccount = (account: ServiceAccount): z.output<typeof serviceAccountReply> => ({
  service_account_id: account.accountId,
  name: account.name,
  fleet: account.isFleet,
  roles: [...account.roles],
  created_at: account.createdAt.toISOString(),
});

export const presentCreated = (account: ServiceAccount, key: NewKey): z.output<typeof createdReply> => ({
  ...presentServiceAccount(account),
  key_id: key.keyId,
  key: key.secret,
});

export const presentKey = (key: ServiceAccountKey): Omit<z.output<typeof newKeyReply>, 'key'> => ({
  key_id: key.keyId,
  created_at: key.createdAt.toISOString(),
  last_used_at: key.lastUsedAt?.toISOString() ?? null,
});

export const presentNewKey = (key: NewKey): z.output<typeof newKeyReply> => ({
  ...presentKey(key),
  key: key.secret,
});
