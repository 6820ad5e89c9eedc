import { ServerNotFoundError } from '../../domain/databases/errors.ts';
import type { ServerId } from '../../domain/databases/server.ts';
import type { Ports } from '../ports/ports.ts';
import { judgeInspection, type ServerFinding } from './judge-inspection.ts';

/**
 * Says of everything that the service needs of a server whether it is there, and which SQL puts right what is missing.
 * A server of the configuration need not be recorded yet: it can be checked before the service is started with it.
 *
 * @throws {ServerNotFoundError} when it is neither recorded nor configured
 */
export const checkServer =
  ({ servers, metadata, serverInspection }: Pick<Ports, 'servers' | 'metadata' | 'serverInspection'>) =>
  async (serverId: ServerId): Promise<readonly ServerFinding[]> => {
    const server = servers.list().find((one) => one.serverId === serverId);
    const records = await metadata.serverLedger.list();
    if (server === undefined) {
      if (!records.some((record) => record.serverId === serverId)) throw new ServerNotFoundError();
      const message = `it has no address here: set DB_RESULTS_DB_TEMPLATE_${serverId.toUpperCase()}`;
      return [{ check: 'address', level: 'missing', message, sql: [] }];
    }
    const inspection = await serverInspection.inspect(serverId);
    const identifier = inspection.facts?.systemIdentifier ?? null;
    const same = records.find(
      (record) =>
        record.serverId !== serverId && record.systemIdentifier === identifier && identifier !== null,
    );
    return judgeInspection(inspection, {
      hasRoles: server.hasRoles,
      connectionBudget: server.connectionBudget,
      sameClusterAs: same?.serverId ?? null,
    });
  };
