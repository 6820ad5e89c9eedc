import { expect } from 'chai';
import { workUsageOf } from '../../../domain/usage/work-usage.ts';

const used = (action: string, details: Readonly<Record<string, unknown>>) =>
  workUsageOf({
    auditId: 'an id',
    userId: null,
    action,
    entityType: 'job',
    entityId: 'a job',
    details,
    requestId: null,
    at: new Date('2026-11-26T23:59:59.999Z'),
  });

describe('What an entry tells of usage', () => {
  it('is a job for each that was submitted, on the day in UTC', () => {
    expect(used('job.submitted', {})).to.deep.equal({ day: '2026-11-26', jobs: 1, coreSeconds: 0 });
    expect(used('job_batch.submitted', { jobs: 1000 })).to.include({ jobs: 1000, coreSeconds: 0 });
  });

  it('is the core seconds of each attempt that was handed in', () => {
    for (const action of ['job.completed', 'job.failed', 'job.released'])
      expect(used(action, { core_seconds: 41.5 })).to.include({ jobs: 0, coreSeconds: 41.5 });
  });

  it('is nothing where an organization has written other things into its outbox', () => {
    for (const jobs of [-1, 0.5, 1e9, '7', null, Number.NaN])
      expect(used('job_batch.submitted', { jobs })).to.equal(null);
    for (const seconds of [-1, 1e12, '7', {}, Infinity])
      expect(used('job.completed', { core_seconds: seconds })).to.equal(null);
    expect(used('job.claimed', { core_seconds: 1, jobs: 1 })).to.equal(null);
  });
});
