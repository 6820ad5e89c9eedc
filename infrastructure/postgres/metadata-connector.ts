import { ConnectionName } from './connection-names.ts';
import type { Deadlines } from './connection-options.ts';
import type { DatabaseUrl } from './database-url.ts';
import { PgConnection } from './pg-connection.ts';

export interface MetadataConnectorOptions {
  readonly metadataUrl: DatabaseUrl;
  readonly connectTimeoutMs: number;
  readonly deadlines: Deadlines;
}

/** Opens connections to the metadata database. Each has an application name that tells operators its purpose. */
export class MetadataConnector {
  readonly #options: MetadataConnectorOptions;

  constructor(options: MetadataConnectorOptions) {
    this.#options = options;
  }

  toMetadata(): Promise<PgConnection> {
    return this.#open(ConnectionName.metadata);
  }

  /** Only the feed of changes uses this connection. */
  toChanges(): Promise<PgConnection> {
    return this.#open(ConnectionName.changes);
  }

  #open(applicationName: string): Promise<PgConnection> {
    const { metadataUrl: url, connectTimeoutMs, deadlines } = this.#options;
    return PgConnection.open({ url, applicationName, connectTimeoutMs, deadlines });
  }
}
