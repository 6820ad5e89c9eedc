import { expect } from 'chai';
import { waitCauseOf, type EngineQueue, type WaitCause } from '../../../domain/jobs/job-queue.ts';

const EMPTY: EngineQueue = {
  engine: 'vina',
  due: 0,
  delayed: 0,
  oldestAt: null,
  nextDueAt: null,
  leased: 0,
  unleased: 0,
  lapsed: 0,
  workers: [],
};

describe('Why jobs wait', () => {
  const cases: readonly [
    string,
    Partial<EngineQueue>,
    { leases: number; maxRunningJobs?: number },
    WaitCause | null,
  ][] = [
    ['nothing does', {}, { leases: 0 }, null],
    ['what runs does not wait', { leased: 3, unleased: 1 }, { leases: 3 }, null],
    ['for their time', { delayed: 2, leased: 1 }, { leases: 1 }, 'time'],
    ['for a worker', { due: 1 }, { leases: 0 }, 'worker'],
    ['for a worker, though others wait for their time', { due: 1, delayed: 9 }, { leases: 0 }, 'worker'],
    ['for another worker, when the first has vanished', { lapsed: 1 }, { leases: 0 }, 'worker'],
    ['for busy workers', { due: 1, leased: 1 }, { leases: 1 }, 'busy_workers'],
    ['for busy workers that hold no leases', { due: 1, unleased: 1 }, { leases: 0 }, 'busy_workers'],
    ['for the limit', { due: 1, leased: 1 }, { leases: 2, maxRunningJobs: 2 }, 'running_limit'],
    [
      'for the limit, that other engines reach',
      { due: 1 },
      { leases: 2, maxRunningJobs: 2 },
      'running_limit',
    ],
    [
      'for busy workers, below the limit',
      { due: 1, leased: 1 },
      { leases: 1, maxRunningJobs: 2 },
      'busy_workers',
    ],
  ];
  for (const [what, queue, limits, expected] of cases)
    it(`is told: ${what}`, () => {
      expect(waitCauseOf({ ...EMPTY, ...queue }, limits)).to.equal(expected);
    });
});
