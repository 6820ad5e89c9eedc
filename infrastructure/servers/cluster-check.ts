import type { ServerLedger } from '../../application/ports/databases/server-ledger.ts';
import type { Logger } from '../../application/ports/runtime/logger.ts';
import type { ServerId } from '../../domain/databases/server.ts';
import { DatabaseConnectionError } from '../../domain/exceptions.ts';
import type { PgConnection } from '../postgres/pg-connection.ts';
import { withDeadline } from '../timing/with-deadline.ts';

export interface ClusterCheckDeps {
  readonly serverId: ServerId;
  readonly ledger: Pick<ServerLedger, 'identify'>;
  readonly logger: Logger;
}

/** The metadata database may be away. Then the next control connection asks again. */
const LEDGER_DEADLINE_MS = 1000;

/**
 * Finds out whether the server is a PostgreSQL cluster that is known under another name already. Two names for one cluster
 * would share its connections and limits unseen, and a database could be counted, and reconciled, twice.
 */
export class ClusterCheck {
  readonly #deps: ClusterCheckDeps;
  #compared: Promise<void> = Promise.resolve();
  #refusal: DatabaseConnectionError | null = null;

  constructor(deps: ClusterCheckDeps) {
    this.#deps = deps;
  }

  /** Why nothing of the server may be used; null when it may. */
  get refusal(): DatabaseConnectionError | null {
    return this.#refusal;
  }

  /** Resolves when the ledger has answered to the last look, or its deadline is over. Never rejects. */
  get compared(): Promise<void> {
    return this.#compared;
  }

  /**
   * Call it for each new control connection: what is behind an address may change. Does not wait for the ledger: the
   * server answers, however busy the metadata database is. Never rejects.
   */
  async look(connection: PgConnection): Promise<void> {
    const { serverId, logger } = this.#deps;
    try {
      const [row] = await connection.query<{ id: string }>({
        text: 'select system_identifier::text as id from pg_control_system()',
        values: [],
      });
      if (row !== undefined) this.#compared = this.#compare(row.id);
    } catch (error) {
      logger.debug({ err: error, server: serverId }, 'a server does not say which cluster it is');
    }
  }

  async #compare(systemIdentifier: string): Promise<void> {
    const { serverId, ledger, logger } = this.#deps;
    try {
      const other = await withDeadline(ledger.identify(serverId, systemIdentifier), LEDGER_DEADLINE_MS);
      const before = this.#refusal;
      this.#refusal =
        other === null
          ? null
          : new DatabaseConnectionError(`The server "${serverId}" is the same cluster as "${other}".`);
      if (before === null && other !== null)
        logger.error(
          { server: serverId, same_as: other },
          'two servers are the same cluster; one is not used',
        );
    } catch (error) {
      logger.debug({ err: error, server: serverId }, 'it is not known which cluster a server is');
    }
  }
}
