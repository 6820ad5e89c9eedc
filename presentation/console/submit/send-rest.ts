import { hasCode, ProblemError } from '../api/problem-error.ts';

/** Of one batch. */
const MOST_ITEMS = 1000;

/** Of a batch, as far as this needs it. A ligand is the same when its bytes are, whatever it is called. */
export interface LigandItem {
  readonly inputs: { readonly ligand: { readonly file: string } };
}

/** A batch that was sent and not refused: the service has stored it, or its answer was lost and nobody knows. */
export interface SentBatch<Item extends LigandItem> {
  readonly key: string;
  readonly items: readonly Item[];
  readonly isStored: boolean;
}

/** What came of all tries. */
interface Stored {
  /** Each job once, whichever try made it. */
  readonly jobs: number;
  /** Of these, those whose ligands are no longer asked for. */
  readonly removed: number;
}

interface Rest<Item extends LigandItem> {
  /** Of one request, by their keys. What is sent here is added, and what is refused taken out. */
  readonly sent: Map<string, SentBatch<Item>>;
  /** What is asked for now. */
  readonly items: readonly Item[];
  readonly newKey: () => string;
  readonly send: (batch: SentBatch<Item>) => Promise<unknown>;
}

/**
 * Sends what no earlier try has stored. A batch whose answer was lost goes first, as it was and under its key: were it made anew
 * of the items that are left, those that it had stored would be stored once more.
 *
 * @throws what `send` throws
 */
export const sendRest = async <Item extends LigandItem>({
  sent,
  items,
  newKey,
  send,
}: Rest<Item>): Promise<Stored> => {
  for (;;) {
    const batches = [...sent.values()];
    const unanswered = batches.find(({ isStored }) => !isStored);
    const next = unanswered ?? nextOf(batches, items, newKey);
    if (next === null) return storedIn(batches, items);
    sent.set(next.key, next);
    try {
      await send(next);
      sent.set(next.key, { ...next, isStored: true });
    } catch (error) {
      const isRefused = unanswered === undefined ? isRefusal(error) : isRefusalForGood(error);
      if (isRefused) sent.delete(next.key);
      // A lost batch that was never stored: its items are sent as they are asked for now.
      if (!isRefused || unanswered === undefined) throw error;
    }
  }
};

const nextOf = <Item extends LigandItem>(
  batches: readonly SentBatch<Item>[],
  items: readonly Item[],
  newKey: () => string,
): SentBatch<Item> | null => {
  const there = new Set(batches.flatMap((batch) => batch.items.map(ligandOf)));
  const rest = items.filter((item) => !there.has(ligandOf(item))).slice(0, MOST_ITEMS);
  return rest.length === 0 ? null : { key: newKey(), items: rest, isStored: false };
};

const storedIn = <Item extends LigandItem>(
  batches: readonly SentBatch<Item>[],
  items: readonly Item[],
): Stored => {
  const asked = new Set(items.map(ligandOf));
  const stored = batches.flatMap((batch) => batch.items);
  return { jobs: stored.length, removed: stored.filter((item) => !asked.has(ligandOf(item))).length };
};

const ligandOf = ({ inputs }: LigandItem): string => inputs.ligand.file;

/** Of what was sent once. The service stores nothing that it refuses; after a 5xx nobody knows. */
const isRefusal = (error: unknown): boolean =>
  error instanceof ProblemError && error.problem.status >= 400 && error.problem.status < 500;

/**
 * Of what was sent before and may be stored. Most refusals say nothing of that: a session that ended, a busy service and a proxy
 * refuse before anybody looks for the key, and a quota counts the jobs of the first request, which may end only now. Items that
 * cannot be stored now were not stored then.
 */
const isRefusalForGood = (error: unknown): boolean => hasCode(error, 'validation_failed');
