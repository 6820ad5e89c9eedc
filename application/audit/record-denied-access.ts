import { causedBy, type Actor } from '../actor.ts';
import type { Logger } from '../ports/logger.ts';
import type { MetadataDatabase } from '../ports/metadata-database.ts';

/** Longest claim of another organization's name that is worth keeping. */
const MAX_ASKED_LENGTH = 63;

export class RecordDeniedAccess {
  readonly #metadata: MetadataDatabase;
  readonly #logger: Logger;

  constructor(metadata: MetadataDatabase, logger: Logger) {
    this.#metadata = metadata;
    this.#logger = logger;
  }

  /**
   * Writes a refused attempt on another organization into the audit trail of the caller's own. The refusal stands
   * when the trail cannot be written: that is logged instead.
   */
  async execute(
    actor: Actor,
    attempt: { asked: string; source: 'path' | 'header'; route: string },
  ): Promise<void> {
    const { organizationId } = actor.principal;
    try {
      await this.#metadata.auditLog.append({
        organizationId,
        action: 'organization.access_denied',
        entityType: 'organization',
        entityId: attempt.asked.slice(0, MAX_ASKED_LENGTH),
        details: { source: attempt.source, route: attempt.route },
        ...causedBy(actor),
      });
    } catch (error) {
      this.#logger.error({ err: error, source: attempt.source }, 'a refused access could not be audited');
    }
  }
}
