import { expect } from 'chai';
import { MOST_OPERATOR_STREAMS, OperatorStreams } from '../../../application/operators/operator-streams.ts';
import type { Overview } from '../../../application/operators/overview.ts';
import { TooManyStreamsError } from '../../../domain/events/errors.ts';
import { rejectionOf } from '../../support/gate.ts';

const quiet: Overview = {
  at: new Date('2026-01-02T03:04:05.678Z'),
  needsYou: [],
  organizations: { total: 1, byStatus: {}, byDatabaseState: {} },
  servers: [],
  processes: { live: 1, silent: 0, requestsPerSecond: 0 },
  busiest: [],
  run: null,
  pass: null,
};

describe('Streams of operators', () => {
  let overview: Overview;
  let readings: number;
  let now: number;
  let streams: OperatorStreams;
  const always = async (): Promise<boolean> => true;

  beforeEach(() => {
    overview = quiet;
    readings = 0;
    now = 0;
    streams = new OperatorStreams({
      getOverview: async () => {
        readings += 1;
        return overview;
      },
      now: () => now,
    });
  });
  const typesOf = (events: readonly { readonly type: string }[] | null) => events?.map(({ type }) => type);

  it('begin with how everything is, and then tell what has changed', async () => {
    const reader = await streams.open(always);
    expect(typesOf(await reader.next())).to.deep.equal(['overview', 'run', 'finding']);
    const counts = { pending: 0, running: 1, deferred: 0, done: 0, failed: 0 };
    overview = {
      ...quiet,
      run: { runId: 1, kind: 'migrate', state: 'running', reason: null, isServed: true, counts },
    };
    const news = reader.next();
    await streams.look();
    expect(typesOf(await news)).to.deep.equal(['overview', 'run']);
    overview = { ...overview, pass: { origin: 'operator', dryRun: true, endedAt: new Date(), summary: {} } };
    await streams.look();
    expect(typesOf(await reader.next())).to.deep.equal(['overview', 'finding']);
  });

  it('share one reading, and cost none while there are none', async () => {
    await streams.look();
    expect(readings).to.equal(0);
    const readers = await Promise.all(Array.from({ length: 20 }, () => streams.open(always)));
    readings = 0;
    await streams.look();
    expect(readings).to.equal(1);
    for (const reader of readers) reader.end();
    await streams.look();
    expect(readings).to.equal(1);
    expect(streams.count).to.equal(0);
  });

  it('give a slow client the latest alone', async () => {
    const reader = await streams.open(always);
    for (let total = 2; total < 6; total += 1) {
      overview = { ...quiet, organizations: { ...quiet.organizations, total } };
      await streams.look();
    }
    const events = (await reader.next()) ?? [];
    expect(typesOf(events)).to.deep.equal(['run', 'finding', 'overview']);
    const [latest] = events.filter(({ type }) => type === 'overview');
    expect(latest).to.deep.include({ overview });
    expect(reader.position).to.equal(latest?.id);
  });

  it('tell an overview that stays as it is again after ten seconds', async () => {
    await streams.open(always);
    const order = async () => typesOf(await (await streams.open(always)).next());
    now = 9_999;
    await streams.look();
    expect(await order()).to.deep.equal(['overview', 'run', 'finding']);
    now = 10_000;
    await streams.look();
    expect(await order()).to.deep.equal(['run', 'finding', 'overview']);
  });

  it('end when their caller may not read any longer, and all when the process stops', async () => {
    let may = true;
    const barred = await streams.open(async () => may);
    const other = await streams.open(always);
    may = false;
    await streams.look();
    expect(await barred.next()).to.equal(null);
    expect(await other.next()).to.have.length(3);
    streams.close();
    expect(await other.next()).to.equal(null);
    expect(await (await streams.open(always)).next()).to.equal(null);
  });

  it('are refused beyond a number, and do not count when the reading fails', async () => {
    streams = new OperatorStreams({ getOverview: () => Promise.reject(new Error('away')), now: () => now });
    expect(await rejectionOf(streams.open(always))).to.include({ message: 'away' });
    expect(streams.count).to.equal(0);
    streams = new OperatorStreams({ getOverview: async () => quiet, now: () => now });
    for (let n = 0; n < MOST_OPERATOR_STREAMS; n += 1) await streams.open(always);
    expect(await rejectionOf(streams.open(always))).to.be.instanceOf(TooManyStreamsError);
  });
});
