import { expect } from 'chai';
import {
  choosePlacement,
  type PlacementChoice,
  type ServerOffer,
} from '../../../domain/databases/placement-policy.ts';
import {
  ANYWHERE,
  parseServerId,
  SERVER_STATUSES,
  type PlacementPin,
} from '../../../domain/databases/server.ts';

const server = (id: string, fields: Partial<ServerOffer> = {}): ServerOffer => ({
  serverId: parseServerId(id),
  status: 'active',
  weight: 100,
  maxDatabases: null,
  databases: 0,
  labels: {},
  systemIdentifier: null,

  ...fields,
});

/** Gives these numbers one after another, and fails when more are asked for. */
const drawing = (...numbers: readonly number[]): (() => number) => {
  const left = [...numbers];
  return () => {
    const next = left.shift();
    if (next === undefined) throw new Error('no further number was expected');
    return next;
  };
};

/** Numbers of a fixed sequence that is spread as evenly as a random one. */
const seeded = (): (() => number) => {
  let state = 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
};

const choose = (
  servers: readonly ServerOffer[],
  pin: Partial<PlacementPin> = {},
  random: () => number = seeded(),
): PlacementChoice => choosePlacement({ servers, pin: { ...ANYWHERE, ...pin }, random });

const chosen = (choice: PlacementChoice): string | null => ('serverId' in choice ? choice.serverId : null);
const refusals = (choice: PlacementChoice): object | null =>
  'refused' in choice
    ? Object.fromEntries(choice.refused.map(({ serverId, reason }) => [serverId, reason]))
    : null;

/** Servers that are chosen at least once, whatever is drawn. */
const everChosen = (servers: readonly ServerOffer[], pin: Partial<PlacementPin> = {}): Set<string | null> => {
  const seen = new Set<string | null>();
  const STEPS = 12;
  for (let one = 0; one < STEPS; one += 1) {
    for (let other = 0; other < STEPS; other += 1) {
      seen.add(chosen(choose(servers, pin, drawing(one / STEPS, other / STEPS))));
    }
  }
  return seen;
};

describe('The placement of a new database', () => {
  it('is refused when there is no server', () => {
    expect(choose([])).to.deep.equal({ refused: [] });
  });

  it('is on the only server, and draws nothing', () => {
    expect(choose([server('a')], {}, drawing())).to.deep.equal({ serverId: 'a' });
  });

  describe('of a pinned organization', () => {
    it('is on the server that it is pinned to, however much there is on it', () => {
      const servers = [server('a'), server('b', { databases: 1000 })];
      expect(choose(servers, { serverId: parseServerId('b') }, drawing())).to.deep.equal({ serverId: 'b' });
    });

    it('is never elsewhere, when that server takes nothing', () => {
      for (const [fields, reason] of [
        [{ status: 'draining' }, 'draining'],
        [{ status: 'disabled' }, 'disabled'],
        [{ databases: 3, maxDatabases: 3 }, 'full'],
        [{ available: false }, 'unavailable'],
      ] as const) {
        const choice = choose([server('a'), server('b', fields)], { serverId: parseServerId('b') });
        expect(refusals(choice)).to.deep.equal({ a: 'pinned_elsewhere', b: reason });
      }
    });

    it('is refused when that server is not offered', () => {
      const choice = choose([server('a'), server('b')], { serverId: parseServerId('c') });
      expect(refusals(choice)).to.deep.equal({ a: 'pinned_elsewhere', b: 'pinned_elsewhere' });
    });

    it('is on a server that has every label of the pin, with the same value', () => {
      const servers = [
        server('both', { labels: { region: 'eu', disk: 'fast', rack: '7' } }),
        server('none'),
        server('one', { labels: { region: 'eu' } }),
        server('other_value', { labels: { region: 'us', disk: 'fast' } }),
      ];
      const labels = { region: 'eu', disk: 'fast' };
      expect(everChosen(servers, { labels })).to.deep.equal(new Set(['both']));
      const [both, ...others] = servers;
      const loaded = both === undefined ? others : [{ ...both, databases: 1 }, ...others];
      expect(everChosen(loaded, { labels: { region: 'eu' } })).to.deep.equal(new Set(['one']));
      expect(refusals(choose(servers, { labels: { region: 'mars' } }))).to.deep.equal({
        both: 'pinned_elsewhere',
        none: 'pinned_elsewhere',
        one: 'pinned_elsewhere',
        other_value: 'pinned_elsewhere',
      });
    });

    it('needs the server and the labels, when both are pinned', () => {
      const servers = [server('a', { labels: { region: 'us' } }), server('b', { labels: { region: 'eu' } })];
      const pin = { serverId: parseServerId('a'), labels: { region: 'eu' } };
      expect(refusals(choose(servers, pin))).to.deep.equal({ a: 'pinned_elsewhere', b: 'pinned_elsewhere' });
    });

    it('takes no name for a label that every object has', () => {
      const labels = { constructor: 'x', toString: 'y' };
      expect(refusals(choose([server('a')], { labels }))).to.deep.equal({ a: 'pinned_elsewhere' });
    });
  });

  it('is refused with the first reason that holds, for each combination of them', () => {
    const pin = { labels: { region: 'eu' } };
    for (const fits of [true, false]) {
      for (const status of SERVER_STATUSES) {
        for (const full of [true, false]) {
          for (const available of [true, false]) {
            const offer = server('a', {
              status,
              available,
              labels: fits ? { region: 'eu' } : {},
              databases: 2,
              maxDatabases: full ? 2 : 3,
            });
            const expected = !fits
              ? 'pinned_elsewhere'
              : status !== 'active'
                ? status
                : full
                  ? 'full'
                  : available
                    ? null
                    : 'unavailable';
            const choice = choose([offer], pin);
            expect(choice).to.deep.equal(
              expected === null
                ? { serverId: 'a' }
                : { refused: [{ serverId: offer.serverId, reason: expected }] },
            );
          }
        }
      }
    }
  });

  it('goes round the servers that take nothing', () => {
    const servers = [
      server('disabled', { status: 'disabled' }),
      server('draining', { status: 'draining' }),
      server('full', { databases: 5, maxDatabases: 5 }),
      server('free', { databases: 1000, maxDatabases: 1001 }),
      server('unavailable', { available: false }),
    ];
    expect(everChosen(servers)).to.deep.equal(new Set(['free']));
  });

  it('never exceeds a limit, of nothing or of more than it has by now', () => {
    for (const [databases, maxDatabases] of [
      [0, 0],
      [1, 1],
      [7, 3],
    ] as const) {
      expect(refusals(choose([server('a', { databases, maxDatabases })]))).to.deep.equal({ a: 'full' });
    }
  });

  it('is on the less loaded of two servers, for their weight, whatever is drawn', () => {
    for (const [a, b, expected] of [
      [{ databases: 1 }, { databases: 2 }, 'a'],
      [{ databases: 2 }, { databases: 1 }, 'b'],
      [{ databases: 30, weight: 300 }, { databases: 20, weight: 100 }, 'a'],
      [{ databases: 29, weight: 100 }, { databases: 30, weight: 300 }, 'b'],
      [{ databases: 1, weight: 3 }, { databases: 2, weight: 6 }, 'a'],
      [{ databases: 0, weight: 1 }, { databases: 0, weight: 1000 }, 'a'],
    ] as const) {
      expect(everChosen([server('a', a), server('b', b)])).to.deep.equal(new Set([expected]));
    }
  });

  it('does not depend on the order in which the servers are given', () => {
    const servers = ['a', 'b', 'c', 'd'].map((id, index) => server(id, { databases: index % 2 }));
    for (const numbers of [
      [0, 0],
      [0.3, 0.9],
      [0.99, 0.5],
    ]) {
      const inOrder = chosen(choose(servers, {}, drawing(...numbers)));
      expect(chosen(choose(servers.toReversed(), {}, drawing(...numbers)))).to.equal(inOrder);
    }
  });

  it('compares two different servers, every pair as often as every other', () => {
    const servers = ['a', 'b', 'c', 'd'].map((id, index) => server(id, { databases: index }));
    const wins: Record<string, number> = {};
    const STEPS = 12;
    for (let one = 0; one < STEPS; one += 1) {
      for (let other = 0; other < STEPS; other += 1) {
        const id = chosen(choose(servers, {}, drawing(one / STEPS, other / STEPS))) ?? 'none';
        wins[id] = (wins[id] ?? 0) + 1;
      }
    }
    // Of the six pairs, three hold a, two more hold b, and the last one is c and d.
    expect(wins).to.deep.equal({ a: 72, b: 48, c: 24 });
  });

  it('does not send all new databases to the emptiest server', () => {
    const servers = [server('empty'), ...['a', 'b', 'c', 'd'].map((id) => server(id, { databases: 500 }))];
    const random = seeded();
    let onEmpty = 0;
    for (let n = 0; n < 1000; n += 1) {
      if (chosen(choose(servers, {}, random)) === 'empty') onEmpty += 1;
    }
    // It is drawn in two of five pairs.
    expect(onEmpty).to.be.within(350, 450);
  });

  it('fills servers in proportion to their weights', () => {
    const databases: Record<string, number> = { a: 0, b: 0, c: 0 };
    const weights: Readonly<Record<string, number>> = { a: 100, b: 100, c: 200 };
    const random = seeded();
    for (let n = 0; n < 4000; n += 1) {
      const servers = Object.keys(weights).map((id) =>
        server(id, { databases: databases[id] ?? 0, weight: weights[id] ?? 100 }),
      );
      const id = chosen(choose(servers, {}, random)) ?? '';
      databases[id] = (databases[id] ?? 0) + 1;
    }
    expect(databases['a']).to.be.within(900, 1100);
    expect(databases['b']).to.be.within(900, 1100);
    expect(databases['c']).to.be.within(1900, 2100);
  });
});
