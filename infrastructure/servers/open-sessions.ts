import { DatabaseConnectionError } from '../../domain/exceptions.ts';

/** Something that waits for a server and can be given up. */
export interface Session {
  /** Ends it without a word to the server: whoever waits for an answer is refused now. */
  cut(): void;
}

/** All that this process has open on one server. When the server falls silent, it is given up together. */
export class OpenSessions {
  readonly #sessions = new Set<Session>();

  /** Returns what forgets it; call that when the session has ended. */
  add(session: Session): () => void {
    this.#sessions.add(session);
    return () => void this.#sessions.delete(session);
  }

  /** Returns how many there were. */
  cutAll(): number {
    const sessions = [...this.#sessions];
    this.#sessions.clear();
    for (const session of sessions) session.cut();
    return sessions.length;
  }

  /**
   * Waits for work on sessions that are not known here. When all are cut, it goes on by itself, and how it ends is
   * ignored.
   *
   * @throws {DatabaseConnectionError} when all are cut
   */
  waitFor<Result>(work: Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      const cut = (): void => reject(new DatabaseConnectionError('The server does not answer.'));
      const forget = this.add({ cut });
      work.then(resolve, reject).finally(forget);
    });
  }
}
