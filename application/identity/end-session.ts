import type { MetadataDatabase } from '../ports/databases/metadata-database.ts';
import type { SessionTokens } from './session-tokens.ts';

export class EndSession {
  readonly #metadata: MetadataDatabase;
  readonly #sessionTokens: SessionTokens;

  constructor(metadata: MetadataDatabase, sessionTokens: SessionTokens) {
    this.#metadata = metadata;
    this.#sessionTokens = sessionTokens;
  }

  /** Ends the session of a refresh token, used up or not. Safe to repeat; says nothing about tokens it does not know. */
  async execute(refreshToken: string): Promise<void> {
    const hash = this.#sessionTokens.hashOf(refreshToken);
    await this.#metadata.transaction(async ({ sessions }) => {
      const session = await sessions.findByToken(hash);
      if (session !== null) await sessions.revoke(session.sessionId);
    });
  }
}
