import { ClusterHistory } from './cluster-history.ts';
import { ConnectionName } from './connection-names.ts';
import type { Deadlines } from './connection-options.ts';
import type { DatabaseUrl } from './database-url.ts';
import { PgConnection, type SurveyedServer } from './pg-connection.ts';

export interface MetadataConnectorOptions {
  readonly metadataUrl: DatabaseUrl;
  /** Of the server itself; the same object as `metadataUrl` where no pooler stands before it. */
  readonly metadataAdminUrl: DatabaseUrl;
  readonly connectTimeoutMs: number;
  readonly deadlines: Deadlines;
}

/** Opens connections to the metadata database. Each has an application name that tells operators its purpose. */
export class MetadataConnector {
  readonly #options: MetadataConnectorOptions;

  constructor(options: MetadataConnectorOptions) {
    this.#options = options;
    ClusterHistory.share(options.metadataUrl.servers, options.metadataAdminUrl.servers);
  }

  toMetadata(): Promise<PgConnection> {
    const { metadataUrl, metadataAdminUrl } = this.#options;
    return this.#open(metadataUrl, ConnectionName.metadata, {
      throughPooler: metadataUrl !== metadataAdminUrl,
    });
  }

  /** See `PgConnection.survey`. */
  survey(): Promise<readonly SurveyedServer[]> {
    const { metadataAdminUrl: url, connectTimeoutMs } = this.#options;
    return PgConnection.survey({ url, applicationName: ConnectionName.survey, connectTimeoutMs });
  }

  /** Rejects when requests could not reach the metadata database. */
  async check(): Promise<void> {
    const connection = await this.toMetadata();
    await connection.close();
  }

  /** Only the feed of changes uses this connection. It listens, so it goes to the server itself. */
  toChanges(): Promise<PgConnection> {
    return this.#open(this.#options.metadataAdminUrl, ConnectionName.changes);
  }

  #open(
    url: DatabaseUrl,
    applicationName: string,
    route: { readonly throughPooler?: boolean } = {},
  ): Promise<PgConnection> {
    const { connectTimeoutMs, deadlines } = this.#options;
    return PgConnection.open({ url, applicationName, connectTimeoutMs, deadlines, ...route });
  }
}
