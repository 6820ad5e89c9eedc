import type { DatabaseLedger, DatabaseRecord } from '../../application/ports/databases/database-ledger.ts';
import { holdsResults } from '../../domain/databases/results-database.ts';
import type { RotationReport } from '../../application/ports/databases/database-upkeep.ts';
import type { MetadataDatabase } from '../../application/ports/databases/metadata-database.ts';
import type { SpareLedger } from '../../application/ports/databases/spare-ledger.ts';
import { allOf } from '../../domain/page.ts';
import { reasonOf } from '../../domain/reason-of.ts';
import type { OrganizationLogins } from '../servers/organization-logins.ts';
import type { ResultsServer } from '../servers/results-server.ts';

export interface CredentialRotationDeps {
  readonly ledger: DatabaseLedger;
  readonly spares: SpareLedger;
  readonly server: ResultsServer;
  readonly logins: OrganizationLogins | null;
  readonly metadata: MetadataDatabase;
}

/**
 * Gives the roles of all organizations, and of the spares, their passwords from the first secret. Those of sessions
 * that are open do not matter to them. Safe to repeat, also after a crash; one that fails does not stop the others.
 */
export class CredentialRotation {
  readonly #deps: CredentialRotationDeps;

  constructor(deps: CredentialRotationDeps) {
    this.#deps = deps;
  }

  /** Rejects when organizations have no roles, or the ledger cannot be read. */
  async rotate(): Promise<RotationReport> {
    if (this.#deps.logins === null) {
      throw new Error('Organizations have no roles of their own (DB_ORG_ROLES is off): nothing to rotate.');
    }
    let rotated = 0;
    const failures: { readonly database: string; readonly reason: string }[] = [];
    const attempt = async (database: string, rotate: () => Promise<boolean>): Promise<void> => {
      try {
        if (await rotate()) rotated += 1;
      } catch (error) {
        failures.push({ database, reason: reasonOf(error) });
      }
    };
    // Spares first: one that an organization takes meanwhile is in the list of the organizations.
    for (const spareId of await this.#deps.spares.listIds()) {
      await attempt(`spare ${spareId}`, () => this.#rotateSpare(spareId));
    }
    for await (const record of allOf((page) => this.#deps.ledger.list({ state: null }, page))) {
      await attempt(record.databaseName, () => this.#rotateOrganization(record));
    }
    return { rotated, failures };
  }

  #rotateSpare(spareId: string): Promise<boolean> {
    // One that is being built gets its role, and the password with it, later.
    return this.#deps.server.exclusively(`role ${spareId}`, (session) => session.setPassword(spareId));
  }

  #rotateOrganization({ organizationId, databaseName }: DatabaseRecord): Promise<boolean> {
    const { ledger, server, metadata } = this.#deps;
    return server.exclusively(databaseName, async (session) => {
      // The list may be older than the lock.
      const record = await ledger.find(organizationId);
      if (record === null || record.stamp === null) return false;
      if (!(await session.setPassword(record.stamp))) {
        if (holdsResults(record.state)) throw new Error('its role does not exist');
        return false;
      }
      await metadata.auditLog.append({
        organizationId,
        userId: null,
        action: 'database.credentials_rotated',
        entityType: 'database',
        entityId: databaseName,
        details: {},
        requestId: null,
      });
      return true;
    });
  }
}
