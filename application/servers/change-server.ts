import { ServerNotFoundError } from '../../domain/databases/errors.ts';
import type { ServerId } from '../../domain/databases/server.ts';
import { causedBy, type Actor } from '../actor.ts';
import type { MetadataDatabase } from '../ports/databases/metadata-database.ts';
import type { ServerChanges } from '../ports/databases/server-ledger.ts';
import type { ListServersPorts } from './list-servers.ts';
import { viewServer, type ServerView } from './server-view.ts';

export interface ChangeServerPorts extends ListServersPorts {
  readonly metadata: MetadataDatabase;
}

/**
 * Changes what the operators say of a server. `draining` and `disabled` stop new databases from being placed there; those
 * that are there stay served.
 *
 * @param actor null: an operator at the command line
 * @throws {ServerNotFoundError}
 */
export const changeServer =
  ({ servers, serverLedger, metadata }: ChangeServerPorts) =>
  async (actor: Actor | null, serverId: ServerId, changes: ServerChanges): Promise<ServerView> => {
    const record = await serverLedger.change(serverId, changes);
    if (record === null) throw new ServerNotFoundError();
    await metadata.auditLog.append({
      organizationId: null,
      action: 'server.changed',
      entityType: 'server',
      entityId: serverId,
      details: { ...changes },
      ...(actor === null ? { userId: null, requestId: null } : causedBy(actor)),
    });
    return viewServer(record, servers);
  };
