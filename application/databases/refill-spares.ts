import type { SpareDemand } from '../../domain/databases/spare-demand.ts';
import { markOf, readMark } from '../../domain/databases/database-identity.ts';
import type { DatabaseServer } from '../ports/databases/database-server.ts';
import { TemplateMissingError } from '../ports/databases/database-template.ts';
import type { Deployment } from '../ports/databases/deployment.ts';
import type { SpareDatabase } from '../ports/databases/provisioning-ledger.ts';
import type { ServerSession } from '../ports/databases/server-session.ts';
import type { SpareLedger, TemplateRecord } from '../ports/databases/spare-ledger.ts';
import type { Logger } from '../ports/runtime/logger.ts';
import { newSpare } from './new-spare.ts';

export interface RefillPorts {
  readonly ledger: SpareLedger;
  readonly demand: SpareDemand;
  readonly deployment: Deployment;
  /** Makes a UUID. */
  readonly newId: () => string;
  readonly logger: Logger;
}

const LOCK = 'spare databases';

export type RefillSpares = ReturnType<typeof refillSpares>;

/**
 * Builds the spares that a server is short of, and drops what no organization will claim. One process at a time works on
 * a server, one database at a time, and stops as soon as a request waits for the server. The ledger remembers what is
 * planned, so two processes never build the same spare. The call is also this process's sign of life for its template.
 *
 * @param signal ends it after the database that is being built
 */
export const refillSpares =
  (ports: RefillPorts) =>
  async (server: DatabaseServer, signal?: AbortSignal): Promise<void> => {
    try {
      const source = await server.template.ready();
      // Not even the look: it would be repeated throughout a storm of new organizations, and flush each time.
      if (server.isBusy) return;
      await ports.ledger.touchTemplate(source);
      await server.attempt(LOCK, async (session) => {
        await dropStale(ports, server, session, source);
        await buildMissing(ports, server, session, source, signal);
      });
    } catch (error) {
      if (error instanceof TemplateMissingError) server.template.invalidate();
      throw error;
    }
  };

const buildMissing = async (
  ports: RefillPorts,
  server: DatabaseServer,
  session: ServerSession,
  source: TemplateRecord,
  signal: AbortSignal | undefined,
): Promise<void> => {
  const { ledger, demand, newId, logger } = ports;
  // Looked at anew before each one: live requests go first, and demand may have been met meanwhile.
  for (;;) {
    if (signal?.aborted === true || server.isBusy) return;
    const fresh = newSpare(server, source, newId());
    const spare = await ledger.plan(fresh, demand);
    if (spare === null) return;
    try {
      await build(ports, server, session, source, spare);
    } catch (error) {
      // The second time: or each refill would begin with what cannot be finished.
      if (spare.spareId !== fresh.spareId) await ledger.discard(spare.spareId);
      throw error;
    }
    await ledger.markReady(spare.spareId);
    logger.write('spare.ready', { server: server.serverId, database: spare.databaseName });
  }
};

const build = async (
  { deployment }: RefillPorts,
  server: DatabaseServer,
  session: ServerSession,
  source: TemplateRecord,
  spare: SpareDatabase,
): Promise<void> => {
  await session.clone(source.databaseName, spare.databaseName);
  await session.mark(spare.databaseName, markOf(await deployment.id()));
  await session.restrict(spare.databaseName, spare.spareId);
  await server.proveSchema(spare.databaseName, spare.schemaVersion);
};

const dropStale = async (
  ports: RefillPorts,
  server: DatabaseServer,
  session: ServerSession,
  source: TemplateRecord,
): Promise<void> => {
  const { ledger, demand, logger } = ports;
  for (const spare of await ledger.discardStale(source, demand)) {
    await unlessStuck(ports, spare.databaseName, async () => {
      if (await isOurs(ports, session, spare.databaseName)) {
        await session.dropSpare(spare.databaseName, spare.spareId);
        logger.write('spare.dropped', { server: server.serverId, database: spare.databaseName });
      }
      await ledger.forget(spare.spareId);
    });
  }
  for (const { databaseName, hash } of await ledger.listUnusedTemplates(source)) {
    await unlessStuck(ports, databaseName, async () => {
      await server.attempt(databaseName, async (own) => {
        // A process of its release that starts now has written it down anew, or builds it again once it is gone.
        if (!(await ledger.forgetUnusedTemplate(hash)) || !(await isOurs(ports, own, databaseName))) return;
        await own.drop(databaseName);
        logger.write('template.dropped', { server: server.serverId, database: databaseName });
      });
    });
  }
};

/** One that cannot be dropped (a prepared transaction, a replication slot) does not keep others from being built. */
const unlessStuck = async (
  { logger }: RefillPorts,
  database: string,
  drop: () => Promise<void>,
): Promise<void> => {
  try {
    await drop();
  } catch (error) {
    logger.write('database.drop_failed', { err: error, database });
  }
};

/** A copy of another deployment's metadata lists that one's spares. Earlier releases did not mark theirs. */
const isOurs = async (
  { deployment }: RefillPorts,
  session: ServerSession,
  databaseName: string,
): Promise<boolean> => {
  const mark = readMark(await session.identityOf(databaseName));
  return mark === null || mark.deploymentId === (await deployment.id());
};
