import { OutdatedServerError } from './postgres-errors.ts';
import type { ServerAddress } from './server-address.ts';
import type { SessionFacts } from './session-facts.ts';

/** Which cluster a server is, and which timeline it writes. */
export type ClusterState = Pick<SessionFacts, 'systemIdentifier' | 'timeline'>;

/**
 * The latest that is known of the cluster behind one list of servers. Each promotion begins a timeline with a higher
 * number. A server that still writes a lower one was replaced, and does not know it: what is written there is lost.
 * Decision 0039.
 */
export class ClusterHistory {
  static readonly #known = new WeakMap<readonly ServerAddress[], ClusterHistory>();
  #systemIdentifier: string | null = null;
  #timeline: number | null = null;

  /** @param servers the list that a URL shares with all URLs derived from it */
  static of(servers: readonly ServerAddress[]): ClusterHistory {
    const known = ClusterHistory.#known.get(servers) ?? new ClusterHistory();
    ClusterHistory.#known.set(servers, known);
    return known;
  }

  /** Makes two lists one: they lead to the same cluster, one of them through a pooler. */
  static share(one: readonly ServerAddress[], other: readonly ServerAddress[]): void {
    ClusterHistory.#known.set(one, ClusterHistory.of(other));
  }

  /** Whether a session with this timeline is on a server that was replaced since. */
  isBehind(timeline: number | null): boolean {
    return timeline !== null && this.#timeline !== null && timeline < this.#timeline;
  }

  /** Remembers what is newer than what is known. Another cluster is not. */
  learn({ systemIdentifier, timeline }: ClusterState): void {
    if (systemIdentifier === null) return;
    this.#systemIdentifier ??= systemIdentifier;
    if (systemIdentifier !== this.#systemIdentifier || timeline === null) return;
    this.#timeline = Math.max(timeline, this.#timeline ?? 0);
  }

  /** @throws {OutdatedServerError} for a server that was replaced, or is another cluster */
  admit(state: ClusterState): void {
    this.learn(state);
    const { systemIdentifier, timeline } = state;
    if (this.isBehind(timeline)) {
      throw new OutdatedServerError(
        `it writes timeline ${timeline}, and timeline ${this.#timeline} has begun elsewhere: it was replaced and must be stopped`,
      );
    }
    if (systemIdentifier !== null && systemIdentifier !== this.#systemIdentifier) {
      throw new OutdatedServerError(
        `it is the cluster ${systemIdentifier}, and was ${this.#systemIdentifier} before: the service has to be started again if that is meant`,
      );
    }
  }
}
