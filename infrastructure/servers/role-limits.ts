/** Time between two looks at one role: it may be full by right. */
export const LOOK_AGAIN_MS = 60_000;

interface Look {
  readonly at: number;
  readonly hasRoom: Promise<boolean>;
  isOver: boolean;
}

/** Roles that took no more sessions, and whether they may take more since. */
export class RoleLimits {
  readonly #raise: (stamp: string) => Promise<boolean>;
  readonly #now: () => number;
  readonly #looks = new Map<string, Look>();

  /**
   * @param raise gives the role of a database the limit of today's configuration; false: there is no such role
   * @param now in milliseconds
   */
  constructor(raise: (stamp: string) => Promise<boolean>, now = () => performance.now()) {
    this.#raise = raise;
    this.#now = now;
  }

  /** Whether a login may go well now that failed because its role was full. Never rejects. All who ask meanwhile share a look. */
  hasRoom(stamp: string): Promise<boolean> {
    const last = this.#looks.get(stamp);
    if (last?.isOver === false) return last.hasRoom;
    if (last !== undefined && this.#now() - last.at < LOOK_AGAIN_MS) return Promise.resolve(false);
    const hasRoom = this.#raise(stamp)
      .catch(() => {
        this.#looks.delete(stamp);
        return false;
      })
      .finally(() => {
        look.isOver = true;
      });
    const look: Look = { at: this.#now(), hasRoom, isOver: false };
    this.#looks.set(stamp, look);
    return hasRoom;
  }
}
