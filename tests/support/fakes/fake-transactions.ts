type Restore = () => void;

/** Transactions in memory: one after another, and what a failing one has changed is put back. */
export class FakeTransactions {
  readonly #save: () => readonly Restore[];
  #last: Promise<unknown> = Promise.resolve();

  /** @param save notes down everything that a transaction may change */
  constructor(save: () => readonly Restore[]) {
    this.#save = save;
  }

  run<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(async () => {
      const restores = this.#save();
      try {
        return await work();
      } catch (error) {
        for (const restore of restores) restore();
        throw error;
      }
    });
    this.#last = result.catch(() => undefined);
    return result;
  }
}

/** Its values have to be replaced, never changed. */
export const saveMap = <Key, Value>(map: Map<Key, Value>): Restore => {
  const entries = [...map];
  return () => {
    map.clear();
    for (const [key, value] of entries) map.set(key, value);
  };
};

export const saveList = (list: unknown[]): Restore => {
  const { length } = list;
  return () => void list.splice(length);
};
