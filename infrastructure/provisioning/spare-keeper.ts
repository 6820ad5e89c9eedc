import type { Deployment } from '../../application/ports/databases/deployment.ts';
import type { Logger } from '../../application/ports/runtime/logger.ts';
import type { SpareDatabase } from '../../application/ports/databases/provisioning-ledger.ts';
import type {
  SpareDemand,
  SpareLedger,
  TemplateRecord,
} from '../../application/ports/databases/spare-ledger.ts';
import { Periodic, type RunReport } from '../timing/periodic.ts';
import type { PgConnection } from '../postgres/pg-connection.ts';
import type { ResultsUrlTemplate } from '../postgres/results-url-template.ts';
import { markOf, readMark } from '../../domain/databases/database-identity.ts';
import type { ResultsServer } from '../servers/results-server.ts';
import type { ResultsTemplate } from '../servers/results-template.ts';
import type { ServerSession } from '../servers/server-session.ts';
import { newSpare } from './new-spare.ts';

export interface SpareKeeperDeps {
  readonly ledger: SpareLedger;
  readonly server: ResultsServer;
  readonly template: ResultsTemplate;
  readonly urls: ResultsUrlTemplate;
  readonly demand: SpareDemand;
  readonly deployment: Deployment;
  /** Opens a connection as the owner, not out of a pool: a session left open would block the claim. */
  readonly connect: (databaseName: string) => Promise<PgConnection>;
  readonly logger: Logger;
}

/** Also a process's sign of life for its template: far more often than templates count as unused. */
const TICK_MS = 15_000;

/** Whoever claimed a spare connects to it next: a clone at that moment would double the time of the first answer. */
const PAUSE_AFTER_CLAIM_MS = 250;

const LOCK = 'spare databases';

/**
 * Keeps databases ready for organizations that are yet to come. One process at a time builds, one database at a time,
 * and stops as soon as a request waits for the server; the ledger remembers what is planned, so two never build the same.
 */
export class SpareKeeper {
  readonly #deps: SpareKeeperDeps;
  readonly #refills: Periodic;

  constructor(deps: SpareKeeperDeps) {
    this.#deps = deps;
    this.#refills = new Periodic({
      everyMs: TICK_MS,
      runsAtStart: true,
      work: () => this.refill(),
      onFailure: (error) => deps.logger.warn({ err: error }, 'spares could not be refilled'),
    });
  }

  get report(): RunReport {
    return this.#refills.report;
  }

  start(): void {
    this.#refills.start();
  }

  /** Looks soon whether spares are missing; call it after a claim. Never rejects, never waits. Nothing before `start`. */
  kick(): void {
    this.#refills.kick(PAUSE_AFTER_CLAIM_MS);
  }

  /** Waits for the database being built, if any. */
  close(): Promise<void> {
    return this.#refills.close();
  }

  /** Builds what is missing and drops what nobody will claim, unless another process is at it. */
  async refill(): Promise<void> {
    const { ledger, server, template } = this.#deps;
    try {
      const source = await template.ready();
      await ledger.touchTemplate(source);
      await server.attempt(LOCK, async (session) => {
        await this.#dropStale(session, source);
        await this.#buildMissing(session, source);
      });
    } catch (error) {
      // It may be the template that is gone: the next one looks.
      template.invalidate();
      throw error;
    }
  }

  async #buildMissing(session: ServerSession, source: TemplateRecord): Promise<void> {
    const { ledger, server, urls, demand } = this.#deps;
    // Looked at anew before each one: live requests go first, and demand may have been met meanwhile.
    while (!this.#refills.isClosed && !server.isBusy) {
      const fresh = newSpare(urls, source);
      const spare = await ledger.plan(fresh, demand);
      if (spare === null) return;
      try {
        await this.#build(session, source, spare);
      } catch (error) {
        // The second time: or each refill would begin with what cannot be finished.
        if (spare.spareId !== fresh.spareId) await ledger.retire(spare.spareId);
        throw error;
      }
      await ledger.markReady(spare.spareId);
      this.#deps.logger.debug({ database: spare.databaseName }, 'spare ready');
    }
  }

  async #build(session: ServerSession, source: TemplateRecord, spare: SpareDatabase): Promise<void> {
    await session.clone(source.databaseName, spare.databaseName);
    await session.mark(spare.databaseName, markOf(await this.#deps.deployment.id()));
    await session.restrict(spare.databaseName, spare.spareId);
    // The first connection writes the catalogue cache file, which survives the rename: the claimer's starts faster.
    const connection = await this.#deps.connect(spare.databaseName);
    await connection.close();
  }

  async #dropStale(session: ServerSession, source: TemplateRecord): Promise<void> {
    const { ledger, server, demand, logger } = this.#deps;
    for (const spare of await ledger.retireStale(source, demand)) {
      await this.#unlessStuck(spare.databaseName, async () => {
        if (await this.#isOurs(session, spare.databaseName)) {
          await session.dropSpare(spare.databaseName, spare.spareId);
          logger.info({ database: spare.databaseName }, 'stale spare dropped');
        }
        await ledger.forget(spare.spareId);
      });
    }
    for (const { databaseName, hash } of await ledger.listUnusedTemplates(source)) {
      await this.#unlessStuck(databaseName, async () => {
        await server.attempt(databaseName, async (own) => {
          // A process of its release that starts now has written it down anew, or builds it again once it is gone.
          if (!(await ledger.forgetUnusedTemplate(hash)) || !(await this.#isOurs(own, databaseName))) return;
          await own.drop(databaseName);
          logger.info({ database: databaseName }, 'unused template dropped');
        });
      });
    }
  }

  /** One that cannot be dropped (a prepared transaction, a replication slot) does not keep others from being built. */
  async #unlessStuck(database: string, drop: () => Promise<void>): Promise<void> {
    try {
      await drop();
    } catch (error) {
      this.#deps.logger.warn({ err: error, database }, 'what is no longer used could not be dropped');
    }
  }

  /** A copy of another deployment's metadata lists that one's spares; earlier releases did not mark theirs. */
  async #isOurs(session: ServerSession, databaseName: string): Promise<boolean> {
    const mark = readMark(await session.identityOf(databaseName));
    return mark === null || mark.deploymentId === (await this.#deps.deployment.id());
  }
}
