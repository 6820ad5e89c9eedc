import { expect } from 'chai';
import type { EventReader } from '../../../application/events/event-reader.ts';
import { EventStreams, MOST_STREAMS, type StreamRequest } from '../../../application/events/event-streams.ts';
import { TooManyStreamsError } from '../../../domain/events/errors.ts';
import { EVENT_TYPES, type JobEvent } from '../../../domain/events/job-event.ts';
import { parseOrganizationId, type OrganizationId } from '../../../domain/organizations/organization-id.ts';
import { FakeMetadata } from '../../support/fakes/fake-metadata.ts';
import { fakeUuid } from '../../support/fakes/fake-results.ts';
import { Gate, rejectionOf, until } from '../../support/gate.ts';

const ACME = parseOrganizationId('acme', 51);
const BETA = parseOrganizationId('beta', 51);

describe('The event streams of a process', () => {
  let metadata: FakeMetadata;
  let streams: EventStreams;
  let feed: { isCurrent: boolean };
  let now: number;

  beforeEach(() => {
    metadata = new FakeMetadata();
    feed = { isCurrent: true };
    now = 0;
    streams = new EventStreams({ trail: metadata.events, feed, now: () => now });
  });

  const calls = (): readonly string[] => metadata.events.calls;
  const happen = async (action: string, organizationId: OrganizationId | null = ACME): Promise<void> => {
    const entry = { organizationId, userId: null, action, details: {}, requestId: null };
    await metadata.auditLog.append({ ...entry, entityType: 'job', entityId: fakeUuid(1) });
  };
  const happenOften = async (count: number): Promise<void> => {
    for (let number = 0; number < count; number += 1) await happen('job.submitted');
  };
  const open = (request: Partial<StreamRequest> = {}, organizationId = ACME): Promise<EventReader> =>
    streams.open(organizationId, {
      after: 'latest',
      types: EVENT_TYPES,
      mayRead: async () => true,
      ...request,
    });
  const positionsOf = (events: readonly JobEvent[] | null): readonly number[] | null =>
    events === null ? null : events.map(({ position }) => position);
  /** The next events; `looks` of the loop happen meanwhile. */
  const next = async (reader: EventReader, looks = 1): Promise<readonly number[] | null> => {
    const events = reader.next();
    for (let look = 0; look < looks; look += 1) await streams.look();
    return positionsOf(await events);
  };
  /** All events that a reader has got, until nothing more comes. */
  const readAll = async (reader: EventReader): Promise<readonly number[]> => {
    const all: number[] = [];
    for (;;) {
      now += 15_000;
      const events = positionsOf(await reader.next());
      if (events === null || events.length === 0) return all;
      all.push(...events);
    }
  };
  const upTo = (last: number): readonly number[] => Array.from({ length: last }, (_, index) => index + 1);

  it('ask nothing while there are none', async () => {
    await streams.look();
    expect(calls()).to.deep.equal([]);
    const reader = await open();
    reader.end();
    const before = calls().length;
    expect(await streams.look()).to.equal(false);
    expect(calls().length).to.equal(before);
    expect(streams.follows(ACME)).to.equal(false);
  });

  it('read what is new in one query, for all their organizations and readers', async () => {
    const readers = [await open(), await open(), await open({}, BETA)];
    const opened = calls().length;
    expect(opened, 'one look for the beginning of each organization').to.equal(2);
    const waiting = readers.map((reader) => reader.next());
    await happen('job.submitted');
    await happen('job.claimed', BETA);
    await streams.look();
    const got = (await Promise.all(waiting)).map((events) => events?.map(({ type }) => type));
    expect(got).to.deep.equal([['job.submitted'], ['job.submitted'], ['job.claimed']]);
    expect(calls().slice(opened)).to.deep.equal(['listNews']);
  });

  it('give what happened before, and then what happens, each once and in order', async () => {
    await happenOften(250);
    const reader = await open({ after: 0 });
    await happenOften(3);
    const waiting = readAll(reader);
    await streams.look();
    expect(await waiting).to.deep.equal(upTo(253));
    await happenOften(2);
    expect(await next(reader)).to.deep.equal([254, 255]);
  });

  it('go on from a position without a gap, also one that others are ahead of', async () => {
    await happenOften(3);
    const first = await open({ after: 0 });
    expect(await readAll(first)).to.deep.equal([1, 2, 3]);
    const second = await open({ after: 2 });
    expect(positionsOf(await second.next())).to.deep.equal([3]);
    const fromNow = await open({ after: 'latest' });
    await happenOften(1);
    for (const reader of [first, second, fromNow]) expect(await next(reader)).to.deep.equal([4]);
    // A position that the trail has not reached: of another organization, or before a restore.
    const ahead = await open({ after: 6 });
    // Another process has given this one already.
    await happenOften(1);
    const caughtUp = await open({ after: 5 });
    await happenOften(2);
    expect(await next(ahead)).to.deep.equal([5, 6, 7]);
    expect(await next(caughtUp, 0)).to.deep.equal([6, 7]);
  });

  it('leave out types that nobody asked for, and what is no event', async () => {
    await happen('job.submitted');
    const reader = await open({ after: 0, types: ['job.completed'] });
    const waiting = reader.next();
    for (const action of ['job.submitted', 'member.removed', 'job.completed']) {
      await happen(action);
      await streams.look();
    }
    expect((await waiting)?.map(({ type }) => type)).to.deep.equal(['job.completed']);
  });

  it('let a slow reader fall behind what they keep, and give it all the same', async () => {
    const slow = await open();
    const quick = await open();
    for (let round = 0; round < 3; round += 1) {
      const waiting = next(quick, 0);
      await happenOften(200);
      expect(await streams.look()).to.equal(false);
      expect((await waiting)?.length).to.equal(100);
      expect(await readAll(quick)).to.have.length(100);
    }
    const before = calls().length;
    expect(await readAll(slow)).to.deep.equal(upTo(600));
    const reads = calls().slice(before);
    expect(reads, 'what is kept is not read again').to.have.length.within(3, 5);
    expect(new Set(reads)).to.deep.equal(new Set(['list']));
  });

  it('say that more may have come than one look reads', async () => {
    const reader = await open();
    await happenOften(300);
    expect(await streams.look()).to.equal(true);
    expect(await streams.look()).to.equal(false);
    expect(await readAll(reader)).to.deep.equal(upTo(300));
  });

  it('miss nothing that happens while a page is read', async () => {
    await happenOften(2);
    const reader = await open({ after: 0 });
    const gate = new Gate();
    metadata.events.gate = gate.opened;
    const page = reader.next();
    await until('the page is being read', () => calls().includes('list'));
    metadata.events.gate = Promise.resolve();
    await happenOften(2);
    await streams.look();
    gate.open();
    expect(positionsOf(await page)).to.deep.equal([1, 2]);
    expect(await next(reader)).to.deep.equal([3, 4]);
  });

  it('let the client hear of them after 15 s without an event', async () => {
    const reader = await open();
    const waiting = reader.next();
    now = 14_999;
    await streams.look();
    now = 15_000;
    await streams.look();
    expect(await waiting).to.deep.equal([]);
    const again = reader.next();
    now = 29_999;
    await streams.look();
    await happenOften(1);
    await streams.look();
    expect(positionsOf(await again)).to.deep.equal([1]);
  });

  it('are at most 20 of an organization, those that are being opened included', async () => {
    const gate = new Gate();
    metadata.events.gate = gate.opened;
    const opening = Array.from({ length: MOST_STREAMS }, () => open());
    const refused = await rejectionOf(open());
    expect(refused).to.be.instanceOf(TooManyStreamsError);
    gate.open();
    const readers = await Promise.all(opening);
    expect(streams.count).to.equal(MOST_STREAMS);
    expect(await rejectionOf(open())).to.be.instanceOf(TooManyStreamsError);
    await open({}, BETA);
    readers[0]?.end();
    readers[0]?.end();
    await open();
    expect(streams.count).to.equal(MOST_STREAMS + 1);
  });

  it('are not counted when the trail cannot be read at their beginning', async () => {
    metadata.events.isAway = true;
    for (let attempt = 0; attempt <= MOST_STREAMS; attempt += 1)
      expect(await rejectionOf(open()))
        .to.be.an('error')
        .with.property('message')
        .that.includes('away');
    expect(streams.count).to.equal(0);
    metadata.events.isAway = false;
    expect(await open()).to.have.property('position', 0);
  });

  it('live on while the trail is away, and give afterwards what they missed', async () => {
    const reader = await open();
    const waiting = reader.next();
    metadata.events.isAway = true;
    await rejectionOf(streams.look());
    now = 15_000;
    await rejectionOf(streams.look());
    expect(await waiting, 'the client still hears of it').to.deep.equal([]);
    metadata.events.isAway = false;
    await happenOften(1);
    expect(await next(reader)).to.deep.equal([1]);
  });

  it('end for those who may not read any longer, while the feed of changes says who may', async () => {
    let mayRead = true;
    const refused = await open({ mayRead: async () => mayRead });
    const staying = await open();
    mayRead = false;
    feed.isCurrent = false;
    const waiting = refused.next();
    await streams.look();
    expect(streams.count).to.equal(2);
    feed.isCurrent = true;
    await streams.look();
    expect(await waiting).to.equal(null);
    await refused.ended;
    await happenOften(1);
    expect(await next(staying)).to.deep.equal([1]);
  });

  it('all end at the end of the process, and later ones at once', async () => {
    await happenOften(1);
    const reader = await open();
    const waiting = reader.next();
    streams.close();
    expect(await waiting).to.equal(null);
    const late = await open({ after: 0 });
    expect(await late.next()).to.equal(null);
    expect(streams.count).to.equal(0);
  });
});
