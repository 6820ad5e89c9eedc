import type { HttpDependencies } from '../http-dependencies.ts';
import { held, type Step } from './http-locals.ts';

/** Keeps the leased database below its organization's quota. @throws {StorageQuotaExceededError} Decision 0035. */
export const keepStorageQuota =
  ({ storageQuota }: Pick<HttpDependencies, 'storageQuota'>): Step =>
  (_req, { locals }) =>
    storageQuota.admit(held(locals, 'organizationId'), held(locals, 'database'), locals.bodyBytes ?? 0);
