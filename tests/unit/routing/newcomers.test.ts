import { expect } from 'chai';
import type { Claimed } from '../../../application/ports/databases/provisioning.ts';
import { DEFAULT_SERVER } from '../../../domain/databases/server.ts';
import { parseOrganizationId } from '../../../domain/organizations/organization-id.ts';
import { Newcomers, type Entry } from '../../../infrastructure/routing/newcomers.ts';
import { SerialQueue } from '../../../infrastructure/timing/serial-queue.ts';
import { Gate, rejectionOf } from '../../support/gate.ts';

/** How many claims may wait for those before to be made. */
const AHEAD = 2;
const NEWCOMERS = 5;

const claimed = (index: number): Claimed => ({
  placement: {
    organizationId: parseOrganizationId(`org-${index}`, 51),
    serverId: DEFAULT_SERVER,
    databaseName: `db_org-${index}`,
    deploymentId: 'deployment',
    stamp: `stamp-${index}`,
    generation: 1,
  },
  make: null,
});

/** All that can go on without anything from outside has gone on. */
const settled = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

/** Served at once. */
const at = <Result>(enter: () => Promise<Result>): Entry<Result> => ({ enter, served: Promise.resolve() });

describe('newcomers', () => {
  let newcomers: Newcomers;

  beforeEach(() => {
    const turns = new SerialQueue();
    newcomers = new Newcomers({ serverOf: () => ({ welcome: (work) => turns.run(work) }) });
  });

  it('claim no more than two databases ahead of the one that is being made', async () => {
    const claims: number[] = [];
    const gates = Array.from({ length: NEWCOMERS }, () => new Gate());
    const all = gates.map((gate, index) =>
      newcomers.admit(
        async () => {
          claims.push(index);
          return claimed(index);
        },
        at(() => gate.pass()),
      ),
    );
    for (const [made, gate] of gates.entries()) {
      await gate.reached;
      await settled();
      expect(claims).to.have.length(Math.min(made + 1 + AHEAD, NEWCOMERS));
      gate.open();
    }
    await Promise.all(all);
    expect(claims).to.deep.equal([0, 1, 2, 3, 4]);
  });

  it('wait until the one before has been served', async () => {
    const gate = new Gate();
    const entered: string[] = [];
    const first = newcomers.admit(async () => claimed(0), {
      enter: async () => void entered.push('first'),
      served: gate.pass(),
    });
    const second = newcomers.admit(
      async () => claimed(1),
      at(async () => void entered.push('second')),
    );
    await first;
    await settled();
    expect(entered).to.deep.equal(['first']);
    gate.open();
    await second;
  });

  it('never make two claims at a time', async () => {
    const gate = new Gate();
    const claims: string[] = [];
    const first = newcomers.admit(
      async () => {
        claims.push('first');
        await gate.pass();
        return claimed(0);
      },
      at(async () => 'first'),
    );
    const second = newcomers.admit(
      async () => {
        claims.push('second');
        return claimed(1);
      },
      at(async () => 'second'),
    );
    await gate.reached;
    await settled();
    expect(claims).to.deep.equal(['first']);
    gate.open();
    expect(await Promise.all([first, second])).to.deep.equal(['first', 'second']);
  });

  it('go on after a claim, and after a making, that failed', async () => {
    const failed = [
      rejectionOf(
        newcomers.admit(
          () => Promise.reject(new Error('no claim')),
          at(async () => undefined),
        ),
      ),
      rejectionOf(
        newcomers.admit(
          async () => claimed(1),
          at(() => Promise.reject(new Error('no database'))),
        ),
      ),
    ];
    expect(
      await newcomers.admit(
        async () => claimed(2),
        at(async () => 'next'),
      ),
    ).to.equal('next');
    expect((await Promise.all(failed)).map(String)).to.deep.equal(['Error: no claim', 'Error: no database']);
  });

  it('go on after one whom its server refused', async () => {
    const refusing = new Newcomers({
      serverOf: () => ({ welcome: () => Promise.reject(new Error('too late')) }),
    });
    const answers = await Promise.all(
      [0, 1, 2].map((index) =>
        rejectionOf(
          refusing.admit(
            async () => claimed(index),
            at(async () => undefined),
          ),
        ),
      ),
    );
    expect(answers.map(String)).to.deep.equal(Array.from({ length: 3 }, () => 'Error: too late'));
  });

  it('go on after one whose server this process does not know', async () => {
    const lost = new Newcomers({
      serverOf: () => {
        throw new Error('not configured');
      },
    });
    const refusals = [0, 1].map((index) =>
      rejectionOf(
        lost.admit(
          async () => claimed(index),
          at(async () => undefined),
        ),
      ),
    );
    expect((await Promise.all(refusals)).map(String)).to.deep.equal([
      'Error: not configured',
      'Error: not configured',
    ]);
  });
});
