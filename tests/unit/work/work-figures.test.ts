import { expect } from 'chai';
import type { Actor } from '../../../application/actor.ts';
import { WorkFigures } from '../../../application/work/work-figures.ts';
import type { CarriedEntry } from '../../../domain/audit/carried-entry.ts';

const worker = (userId: string, address: string): Actor => ({
  principal: { userId, organizationId: null, roles: new Set() },
  requestId: 'r',
  address,
});

const entry = (action: string, details: CarriedEntry['details'] = {}): CarriedEntry => ({
  auditId: '00000000-0000-4000-8000-000000000001',
  userId: null,
  action,
  entityType: 'job',
  entityId: 'j',
  details,
  requestId: null,
  at: new Date(0),
});

describe('The figures of work', () => {
  let now: number;
  let figures: WorkFigures;
  let waits: [string, number][];

  beforeEach(() => {
    now = 0;
    waits = [];
    figures = new WorkFigures({
      engines: ['vina'],
      observeWait: (engine, seconds) => waits.push([engine, seconds]),
      now: () => now,
    });
  });

  const live = () => Object.fromEntries(figures.liveWorkers());

  it('tell the engines of the configuration apart, whatever clients name', () => {
    figures.seen(worker('a', '::1'), ['vina', 'acme-secret', 'umbra-secret']);
    expect(live()).to.deep.equal({ vina: 1, other: 1, unknown: 0 });
    expect([...figures.attemptsBegun.keys()]).to.deep.equal(['vina', 'other']);
  });

  it('count a worker for two minutes after its last word, under what it asked for last', () => {
    figures.seen(worker('a', '::1'), ['vina']);
    figures.seen(worker('a', '::2'), ['vina']);
    figures.seen(worker('b', '::1'), null);
    expect(live()).to.deep.equal({ vina: 2, other: 0, unknown: 1 });
    now = 100_000;
    figures.seen(worker('a', '::1'), null);
    now = 120_001;
    expect(live()).to.deep.equal({ vina: 1, other: 0, unknown: 0 });
  });

  it('hold how long jobs waited for their first worker, and count every one that is handed out', () => {
    const [createdAt, startedAt] = [new Date(1000), new Date(8500)];
    figures.handedOut([
      { job: { engine: 'vina', createdAt, startedAt }, lease: { attempt: 1 } },
      { job: { engine: 'own', createdAt, startedAt }, lease: { attempt: 2 } },
    ]);
    expect(waits).to.deep.equal([['vina', 7.5]]);
    expect(Object.fromEntries(figures.attemptsBegun)).to.deep.equal({ vina: 1, other: 1 });
  });

  it('count how attempts ended, by the entries that tell of it', () => {
    figures.delivered([
      entry('job.completed'),
      entry('job.completed'),
      entry('job.released', { reason: 'failed' }),
      entry('job.released', { reason: 'shutdown' }),
      entry('job.failed', { error_code: 'no_capable_worker' }),
      entry('job.failed', { error_code: 'attempts_exhausted' }),
      entry('job.failed', { error_code: 'engine_failed' }),
      entry('job.submitted'),
    ]);
    expect(Object.fromEntries(figures.attemptsEnded)).to.deep.equal({
      completed: 2,
      failed: 2,
      released: 2,
      lost: 1,
    });
  });

  it('sum the bytes of files, and believe no outbox that says nonsense', () => {
    for (const bytes of [5, -1, 'much', '9', null, 1e300, Number.NaN, [3], { toString: 1 }, 7])
      figures.delivered([entry('file.added', { size_bytes: bytes })]);
    expect(figures.filesAddedBytes).to.equal(12);
  });
});
