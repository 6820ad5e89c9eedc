import { expect } from 'chai';
import { problemOf, unreachable } from '../../../presentation/console/api/problem-error.ts';
import { sendRest, type LigandItem, type SentBatch } from '../../../presentation/console/submit/send-rest.ts';

type Batch = SentBatch<LigandItem>;

const itemsOf = (...ligands: readonly string[]): readonly LigandItem[] =>
  ligands.map((file) => ({ inputs: { ligand: { file } } }));
const refusal = (status: number, code: string) =>
  problemOf(new Response(JSON.stringify({ code }), { status }));
const fails = (status: number, code: string) => async () => {
  throw await refusal(status, code);
};

/** A service that stores a batch once under its key, and the form of one campaign that sends to it. */
class Form {
  readonly keys: string[] = [];
  readonly #sent = new Map<string, Batch>();
  readonly #stored = new Map<string, readonly LigandItem[]>();

  /** @param answers of the requests of this try, one after the other: each may throw. Then all are stored. */
  async submit(ligands: readonly string[], answers: readonly ((batch: Batch) => Promise<void>)[] = []) {
    const left = [...answers];
    return await sendRest({
      sent: this.#sent,
      items: itemsOf(...ligands),
      newKey: () => `key ${this.#nextKey++}`,
      send: async (batch) => {
        this.keys.push(batch.key);
        await (left.shift() ?? this.store)(batch);
      },
    });
  }

  #nextKey = 1;

  readonly store = async ({ key, items }: Batch): Promise<void> => {
    if (!this.#stored.has(key)) this.#stored.set(key, items);
  };

  /** Stores a batch, and nobody hears of it. */
  readonly loseAnswer = async (batch: Batch): Promise<void> => {
    await this.store(batch);
    throw unreachable(new Error('lost'));
  };

  get stored(): readonly string[] {
    return [...this.#stored.values()].flat().map(({ inputs }) => inputs.ligand.file);
  }
}

/** @returns what it failed with */
const failureOf = async (trying: Promise<unknown>): Promise<unknown> => {
  try {
    await trying;
  } catch (error) {
    return error;
  }
  throw new Error('it did not fail');
};

const library = Array.from({ length: 2500 }, (_, index) => `ligand ${index}`);

describe('What is sent of a submission that failed half way', () => {
  it('is what no batch has stored, in whichever batch it would be now', async () => {
    const form = new Form();
    await failureOf(form.submit(library, [form.store, form.store, fails(429, 'quota_exceeded')]));
    expect(form.stored).to.have.length(2000);
    const changed = [...library.slice(1), 'another'];
    expect(await form.submit(changed)).to.deep.equal({ jobs: 2501, removed: 1 });
    expect(form.stored.toSorted()).to.deep.equal([...library, 'another'].toSorted());
    expect(form.keys).to.deep.equal(['key 1', 'key 2', 'key 3', 'key 4']);
  });

  it('is first, under its key, what got no answer', async () => {
    const form = new Form();
    await failureOf(form.submit(['a', 'b'], [form.loseAnswer]));
    expect(await form.submit(['a', 'c'])).to.deep.equal({ jobs: 3, removed: 1 });
    expect(form.stored).to.deep.equal(['a', 'b', 'c']);
    expect(form.keys).to.deep.equal(['key 1', 'key 1', 'key 2']);
  });

  it('is not what was refused', async () => {
    const form = new Form();
    await failureOf(form.submit(['a', 'b'], [fails(422, 'validation_failed')]));
    expect(await form.submit(['a'])).to.deep.equal({ jobs: 1, removed: 0 });
    expect(form.keys).to.deep.equal(['key 1', 'key 2']);
  });

  it('is under its key until somebody has looked for the key', async () => {
    const form = new Form();
    await failureOf(form.submit(['a', 'b'], [form.loseAnswer]));
    for (const [status, code] of [
      [401, 'unauthenticated'],
      [404, 'http_404'],
      [429, 'quota_exceeded'],
      [503, 'service_busy'],
    ] as const)
      expect(await failureOf(form.submit(['a'], [fails(status, code)]))).to.have.nested.property(
        'problem.code',
        code,
      );
    expect(await form.submit(['a'])).to.deep.equal({ jobs: 2, removed: 1 });
    expect(form.stored).to.deep.equal(['a', 'b']);
    expect(new Set(form.keys)).to.deep.equal(new Set(['key 1']));
  });

  it('is as the form is now, where what got no answer can not have been stored', async () => {
    const form = new Form();
    await failureOf(form.submit(['a', 'gone'], [fails(503, 'database_unavailable')]));
    expect(await form.submit(['a'], [fails(422, 'validation_failed')])).to.deep.equal({
      jobs: 1,
      removed: 0,
    });
    expect(form.stored).to.deep.equal(['a']);
  });

  it('is nothing, where all of it is stored', async () => {
    const form = new Form();
    await failureOf(form.submit(library, [form.store, form.store, form.loseAnswer]));
    expect(await form.submit(library)).to.deep.equal({ jobs: 2500, removed: 0 });
    expect(form.keys).to.deep.equal(['key 1', 'key 2', 'key 3', 'key 3']);
  });
});
