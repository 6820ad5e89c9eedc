import { StateConflictError } from '../../domain/operators/errors.ts';
import { ServerNotFoundError } from '../../domain/databases/errors.ts';
import type { ResultsServerRecord, ServerId, ServerStatus } from '../../domain/databases/server.ts';
import { causedBy, type Actor } from '../actor.ts';
import type { ServerChanges } from '../ports/databases/server-ledger.ts';
import type { Ports } from '../ports/ports.ts';
import { viewServer, type ServerView } from './server-view.ts';

/**
 * Changes what the operators say of a server, and audits it. A `draining` and a `disabled` server get no new databases;
 * those that are there stay served. A server of the configuration that is new is recorded first, so that it can be limited
 * before the service is started with it.
 *
 * @param actor null: an operator at the command line
 * @param seen the status that the caller saw
 * @throws {ServerNotFoundError}
 * @throws {StateConflictError} when it has another status
 */
export const changeServer =
  ({ servers, metadata }: Pick<Ports, 'servers' | 'metadata'>) =>
  async (
    actor: Actor | null,
    serverId: ServerId,
    changes: ServerChanges,
    seen?: ServerStatus,
  ): Promise<ServerView> => {
    const isConfigured = servers.list().some((server) => server.serverId === serverId);
    const record = await metadata.transaction(async ({ serverLedger, auditLog }) => {
      if (isConfigured) await serverLedger.register([serverId]);
      const before = await serverLedger.find(serverId);
      if (before !== null && seen !== undefined && before.status !== seen)
        throw new StateConflictError({ status: before.status });
      const after = await serverLedger.change(serverId, changes);
      if (before === null || after === null) throw new ServerNotFoundError();
      await auditLog.append({
        organizationId: null,
        action: 'server.changed',
        entityType: 'server',
        entityId: serverId,
        details: { before: operatorsSide(before), after: operatorsSide(after) },
        ...(actor === null ? { userId: null, requestId: null } : causedBy(actor)),
      });
      return after;
    });
    return viewServer(record, servers);
  };

const operatorsSide = ({ status, weight, maxDatabases, labels }: ResultsServerRecord) => ({
  status,
  weight,
  max_databases: maxDatabases,
  labels,
});
