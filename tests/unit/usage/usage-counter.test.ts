import { expect } from 'chai';
import { BATCH_ROWS, UsageCounter } from '../../../application/usage/usage-counter.ts';
import { organization } from '../../support/fakes/fake-service.ts';

const [ACME, BETA] = [organization('acme'), organization('beta')];
const NOON = Date.UTC(2026, 10, 26, 12);
const HALF_DAY_MS = 12 * 3_600_000;

describe('The counter of usage', () => {
  let now: number;
  let counter: UsageCounter;
  beforeEach(() => {
    now = NOON;
    counter = new UsageCounter(() => now);
  });
  const request = (organizationId = ACME, status = 200, code?: string): void =>
    counter.observe({
      method: 'GET',
      route: '/jobs',
      status,
      seconds: 0.1,
      code,
      usage: { organizationId, dbMs: 1.5, egressBytes: 100 },
    });

  it('has nothing to write before anything was used, and counts nothing about no organization', () => {
    counter.observe({ method: 'GET', route: '/health', status: 200, seconds: 0.1 });
    expect(counter.batch()).to.equal(null);
  });

  it('counts requests, those that a limit refused, time and bytes, organization by organization', () => {
    request();
    for (const [status, code] of [
      [429, 'organization_busy'],
      [503, 'connection_budget_exhausted'],
      [403, 'storage_quota_exceeded'],
      [403, 'forbidden'],
      [404, 'job_not_found'],
      [500, 'internal_error'],
    ] as const)
      request(ACME, status, code);
    request(BETA);
    counter.noteStored(BETA, 800);
    counter.noteStored(BETA, 700);
    const day = '2026-11-26';
    expect(counter.batch()).to.deep.equal({
      number: 1,
      counted: [
        {
          organizationId: ACME,
          day,
          requests: 7,
          refusals: 3,
          dbMs: 10.5,
          egressBytes: 700,
          storedBytes: null,
        },
        {
          organizationId: BETA,
          day,
          requests: 1,
          refusals: 0,
          dbMs: 1.5,
          egressBytes: 100,
          storedBytes: 800,
        },
      ],
    });
  });

  it('gives the same batch until it is written, and what came meanwhile in the next one', () => {
    request();
    const batch = counter.batch();
    request();
    request();
    expect(counter.batch()).to.equal(batch);
    counter.written();
    const next = counter.batch();
    expect(next?.number).to.equal(2);
    expect(next?.counted.map(({ requests }) => requests)).to.deep.equal([2]);
    counter.written();
    expect(counter.batch()).to.equal(null);
  });

  it('counts what was used before midnight for the day before', () => {
    request();
    now = NOON + HALF_DAY_MS - 1;
    request();
    now += 1;
    request();
    const batches = [counter.batch()];
    counter.written();
    batches.push(counter.batch());
    const days = batches.flatMap((batch) => batch?.counted.map(({ day, requests }) => [day, requests]) ?? []);
    expect(days).to.deep.equal([
      ['2026-11-26', 2],
      ['2026-11-27', 1],
    ]);
  });

  it('counts for the day before also when nobody asked anything since', () => {
    request();
    now = NOON + 5 * HALF_DAY_MS;
    expect(counter.batch()?.counted.map(({ day }) => day)).to.deep.equal(['2026-11-26']);
    counter.written();
    request();
    expect(counter.batch()?.counted.map(({ day }) => day)).to.deep.equal(['2026-11-29']);
  });

  it('has batches of a bounded size, of one day each, and what comes meanwhile for one that follows', () => {
    const many = Array.from({ length: BATCH_ROWS + 1 }, (_, index) => organization(`org-${index}`));
    for (const organizationId of many) request(organizationId);
    const sizes: (readonly [day: string | undefined, rows: number, requests: number])[] = [];
    const take = (): void => {
      const counted = counter.batch()?.counted ?? [];
      counter.written();
      const requests = counted.reduce((sum, row) => sum + row.requests, 0);
      sizes.push([counted[0]?.day, counted.length, requests]);
      expect(new Set(counted.map(({ organizationId, day }) => `${organizationId} ${day}`))).to.have.length(
        counted.length,
      );
    };
    take();
    expect(counter.isBehind).to.equal(true);
    // The last of them is in a part that is put down already: on the same day it begins anew.
    const last = many.at(-1);
    request(last);
    now = NOON + HALF_DAY_MS;
    request(last);
    while (counter.isBehind) take();
    take();
    expect(sizes).to.deep.equal([
      ['2026-11-26', BATCH_ROWS, BATCH_ROWS],
      ['2026-11-26', 1, 1],
      ['2026-11-26', 1, 1],
      ['2026-11-27', 1, 1],
    ]);
    expect(counter.batch()).to.equal(null);
  });
});
