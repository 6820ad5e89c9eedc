import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import type { UsageBatch, UsageLedger } from '../../application/ports/usage/usage-ledger.ts';
import type { CarriedEntry } from '../../domain/audit/carried-entry.ts';
import { organizationId } from '../support/deployment.ts';
import { METADATA, type MetadataSubject, type Subject } from './subjects.ts';

const [ACME, BETA, NOBODY] = [organizationId('acme'), organizationId('beta'), organizationId('nobody')];
const DAY = '2026-11-26';
const MONTH = { from: '2026-11-01', to: '2026-11-30' };

type Counted = UsageBatch['counted'][number];
const counted = (some: Partial<Counted> = {}): Counted => ({
  organizationId: ACME,
  day: DAY,
  requests: 10,
  refusals: 1,
  dbMs: 12.5,
  egressBytes: 5_000_000_000,
  storedBytes: null,
  ...some,
});
const entry = (action: string, details: CarriedEntry['details'], day = DAY): CarriedEntry => ({
  auditId: randomUUID(),
  userId: 'user-1',
  action,
  entityType: 'job',
  entityId: randomUUID(),
  details,
  requestId: null,
  at: new Date(`${day}T12:00:00Z`),
});

const keepsUsage = (subject: Subject<MetadataSubject>): void => {
  let usage: UsageLedger;
  let deliver: MetadataSubject['deliver'];

  before(() => subject.open());
  after(() => subject.close());
  beforeEach(async () => {
    const opened = await subject.empty();
    ({ usage, deliver } = opened);
    for (const id of [ACME, BETA]) await opened.metadata.organizations.insert({ id, name: id });
  });

  it('is added up by organization and day, over several processes', async () => {
    await usage.add(randomUUID(), { number: 1, counted: [counted(), counted({ organizationId: BETA })] });
    await usage.add(randomUUID(), {
      number: 1,
      counted: [counted(), counted({ day: '2026-11-27', requests: 1 })],
    });
    const days = await usage.list(ACME, MONTH);
    expect(days).to.deep.equal([
      {
        day: DAY,
        requests: 20,
        refusals: 2,
        dbMs: 25,
        egressBytes: 10_000_000_000,
        jobs: 0,
        coreSeconds: 0,
        storedBytes: null,
      },
      {
        day: '2026-11-27',
        requests: 1,
        refusals: 1,
        dbMs: 12.5,
        egressBytes: 5_000_000_000,
        jobs: 0,
        coreSeconds: 0,
        storedBytes: null,
      },
    ]);
    expect((await usage.list(BETA, MONTH)).map(({ requests }) => requests)).to.deep.equal([10]);
  });

  it('counts a batch once that is sent twice, and the next one of the same process as well', async () => {
    const writer = randomUUID();
    const first = { number: 1, counted: [counted()] };
    await usage.add(writer, first);
    await usage.add(writer, first);
    expect((await usage.list(ACME, MONTH))[0]?.requests).to.equal(10);
    await usage.add(writer, { number: 2, counted: [counted()] });
    expect((await usage.list(ACME, MONTH))[0]?.requests).to.equal(20);
  });

  it('keeps the largest size that was measured on a day', async () => {
    const writer = randomUUID();
    for (const [number, storedBytes] of [700, null, 900, 800].entries())
      await usage.add(writer, { number: number + 1, counted: [counted({ storedBytes })] });
    expect((await usage.list(ACME, MONTH))[0]?.storedBytes).to.equal(900);
  });

  it('leaves out what was counted for organizations that do not exist, and writes the rest', async () => {
    await usage.add(randomUUID(), { number: 1, counted: [counted({ organizationId: NOBODY }), counted()] });
    expect(await usage.list(NOBODY, MONTH)).to.be.empty;
    expect(await usage.list(ACME, MONTH)).to.have.length(1);
  });

  it('is listed for the days that are asked for, the first and the last among them', async () => {
    const days = ['2026-10-31', '2026-11-01', '2026-11-30', '2026-12-01'];
    await usage.add(randomUUID(), { number: 1, counted: days.map((day) => counted({ day })) });
    expect((await usage.list(ACME, MONTH)).map(({ day }) => day)).to.deep.equal(['2026-11-01', '2026-11-30']);
  });

  it('counts jobs and core seconds by entries of the trail: once each, and beside what processes count', async () => {
    await usage.add(randomUUID(), { number: 1, counted: [counted()] });
    const entries = [
      entry('job.submitted', { status: 'PENDING' }),
      entry('job_batch.submitted', { jobs: 7, waiting: 5 }),
      entry('job.completed', { core_seconds: 160.5 }),
      entry('job.released', { core_seconds: 1.5, reason: 'failed' }),
      entry('job.released', { reason: 'shutdown' }),
      entry('job.failed', { core_seconds: 2 }, '2026-11-27'),
    ];
    await deliver(ACME, entries);
    await deliver(ACME, entries.slice(2));
    const days = await usage.list(ACME, MONTH);
    expect(
      days.map(({ day, requests, jobs, coreSeconds }) => ({ day, requests, jobs, coreSeconds })),
    ).to.deep.equal([
      { day: DAY, requests: 10, jobs: 8, coreSeconds: 162 },
      { day: '2026-11-27', requests: 0, jobs: 0, coreSeconds: 2 },
    ]);
  });
};

for (const subject of METADATA) {
  describe(`usage ${subject.name}`, function () {
    this.timeout(60_000);
    keepsUsage(subject);
  });
}
