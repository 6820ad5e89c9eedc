import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import type { WithDatabase } from '../ports/databases/results-database.ts';
import type { Logger } from '../ports/runtime/logger.ts';
import type { CollectFiles } from './collect-files.ts';

export interface CollectAtUploadsDeps {
  readonly collectFiles: CollectFiles;
  readonly logger: Logger;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

const EVERY_MS = 3_600_000;
/** So that an upload waits for little. While there are more, the next upload goes on. */
const FILES_AT_ONCE = 20;
const MAX_ORGANIZATIONS = 10_000;

/**
 * Collects an organization's files while it uploads another one: its database is in use then. Nothing else would have to
 * open a dormant database to look. Decision 0046.
 */
export class CollectAtUploads {
  readonly #deps: CollectAtUploadsDeps;
  /** When each organization is due again. The one that was collected longest ago comes first. */
  readonly #dueAt = new Map<OrganizationId, number>();

  constructor(deps: CollectAtUploadsDeps) {
    this.#deps = deps;
  }

  /** Never rejects: the upload that it follows has happened. */
  async afterUpload(organizationId: OrganizationId, withDatabase: WithDatabase): Promise<void> {
    const { collectFiles, logger, now } = this.#deps;
    if (now() < (this.#dueAt.get(organizationId) ?? 0)) return;
    this.#postpone(organizationId, now() + EVERY_MS);
    try {
      const deleted = await collectFiles(organizationId, withDatabase, FILES_AT_ONCE);
      if (deleted === FILES_AT_ONCE) this.#postpone(organizationId, now());
    } catch (error) {
      logger.write('file.collection_failed', { err: error, org_id: organizationId });
    }
  }

  #postpone(organizationId: OrganizationId, until: number): void {
    this.#dueAt.delete(organizationId);
    this.#dueAt.set(organizationId, until);
    const [oldest] = this.#dueAt.keys();
    if (this.#dueAt.size > MAX_ORGANIZATIONS && oldest !== undefined) this.#dueAt.delete(oldest);
  }
}
