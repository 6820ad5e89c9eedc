import type { FleetLedger } from '../../application/ports/fleet/fleet-ledger.ts';
import type { Logger } from '../../application/ports/runtime/logger.ts';
import { OrganizationNotReadyError } from '../../domain/databases/errors.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { Periodic, type RunReport } from '../timing/periodic.ts';
import { fitOf, type SchemaFit, type SchemaWindow } from '../migrations/schema-window.ts';

export interface SchemaGuardDeps {
  /** What this release serves. */
  readonly window: () => Promise<SchemaWindow>;
  readonly ledger: Pick<FleetLedger, 'want' | 'listMoved' | 'countSchemas'>;
  readonly logger: Logger;
}

/** Organizations whose schemas are outside of what this release serves. */
export interface SchemaSurvey {
  /** Not served until somebody migrates them. */
  readonly below: number;
  /** Not served by this release. */
  readonly above: number;
  /** Served, with a schema older than the newest that this release knows. */
  readonly behind: number;
}

interface Outside {
  readonly fit: Exclude<SchemaFit, 'inside'>;
  readonly schemaVersion: number;
}

/** How long an open pool may go on after its organization has left the window. */
const LOOK_EVERY_MS = 2000;
/** A look goes back further than to the one before: what was being committed then is seen now. */
const OVERLAP_MS = 30_000;

/**
 * Keeps requests from schemas that this release cannot serve. Migrates nothing: an organization that is behind is put
 * first in line of the fleet migration.
 */
export class SchemaGuard {
  readonly #deps: SchemaGuardDeps;
  /** Organizations that left the window. Few, mostly none: the rest costs a look at an empty map. */
  readonly #outside = new Map<OrganizationId, Outside>();
  readonly #looks = new Periodic({
    everyMs: LOOK_EVERY_MS,
    work: () => this.look(),
    onFailure: (error) => this.#deps.logger.write('schema.unread', { err: error }),
  });
  #lookedAt = performance.now();

  constructor(deps: SchemaGuardDeps) {
    this.#deps = deps;
  }

  /**
   * For a pool that is to be opened: judges what the ledger says of the database.
   *
   * @throws {OrganizationNotReadyError}
   */
  async admit(organizationId: OrganizationId, schemaVersion: number): Promise<void> {
    const window = await this.#deps.window();
    const fit = fitOf(window, schemaVersion);
    if (fit === 'inside') return;
    if (fit === 'below') await this.#deps.ledger.want(organizationId);
    throw notReady(fit, schemaVersion, window);
  }

  /**
   * For every request, also those on open pools. Synchronous.
   *
   * @throws {OrganizationNotReadyError}
   */
  check(organizationId: OrganizationId): void {
    if (this.#outside.size === 0) return;
    const outside = this.#outside.get(organizationId);
    if (outside !== undefined) throw notReady(outside.fit, outside.schemaVersion);
  }

  /** Has the server count the whole ledger: for the start. */
  async survey(target: number): Promise<SchemaSurvey> {
    const window = await this.#deps.window();
    const survey = { below: 0, above: 0, behind: 0 };
    for (const [version, databases] of await this.#deps.ledger.countSchemas()) {
      const fit = fitOf(window, version);
      if (fit !== 'inside') survey[fit] += databases;
      else if (version < target) survey.behind += databases;
    }
    return survey;
  }

  get report(): RunReport {
    return this.#looks.report;
  }

  start(): void {
    this.#looks.start();
  }

  run(): Promise<void> {
    return this.#looks.run();
  }

  close(): Promise<void> {
    return this.#looks.close();
  }

  /** Learns which organizations have left or entered the window; one query for all. Runs by itself after `start`. */
  async look(): Promise<void> {
    const window = await this.#deps.window();
    const began = performance.now();
    const sinceMs = began - this.#lookedAt + OVERLAP_MS;
    const known = [...this.#outside.keys()];
    const moved = await this.#deps.ledger.listMoved(window, sinceMs, known);
    this.#lookedAt = began;
    // An organization whose database was retired is not in the list: it gets a new one of a version that is served.
    const listed = new Set(moved.map(({ organizationId }) => organizationId));
    for (const organizationId of known) if (!listed.has(organizationId)) this.#outside.delete(organizationId);
    for (const { organizationId, schemaVersion } of moved) {
      const fit = fitOf(window, schemaVersion);
      if (fit === 'inside') {
        this.#outside.delete(organizationId);
        continue;
      }
      if (!this.#outside.has(organizationId)) {
        if (fit === 'below') await this.#deps.ledger.want(organizationId);
        this.#deps.logger.write('database.outside_window', {
          org_id: organizationId,
          schema_version: schemaVersion,
          fit,
        });
      }
      this.#outside.set(organizationId, { fit, schemaVersion });
    }
  }
}

const notReady = (
  fit: Outside['fit'],
  schemaVersion: number,
  window?: SchemaWindow,
): OrganizationNotReadyError =>
  new OrganizationNotReadyError(
    'The schema of the results database is outside of what this release serves.',
    {
      reason: fit === 'below' ? 'older_schema' : 'newer_schema',
      details: {
        schema_version: schemaVersion,
        ...(window !== undefined && { oldest: window.oldest, newest: window.newest }),
      },
    },
  );
