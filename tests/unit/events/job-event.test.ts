import { expect } from 'chai';
import {
  isEventType,
  readJobEvent,
  type JobEvent,
  type TrailEntry,
} from '../../../domain/events/job-event.ts';

const ID = '00000000-0000-4000-8000-00000000000a';
const OTHER = '00000000-0000-4000-8000-00000000000b';

const read = (
  action: string,
  details: Readonly<Record<string, unknown>> = {},
  entity: Partial<Pick<TrailEntry, 'entityType' | 'entityId'>> = {},
): JobEvent => {
  if (!isEventType(action)) throw new Error(`${action} is no event`);
  const entry = { auditId: 'audit', position: 7, entityType: 'job', entityId: ID, at: new Date(0) };
  return readJobEvent({ ...entry, action, details, ...entity });
};

describe('An event', () => {
  it('is no entry that only administrators may read', () => {
    for (const action of [
      'member.removed',
      'session.token_reused',
      'settings.replaced',
      'organization.access_denied',
      'user.created',
      'unknown',
      'toString',
    ])
      expect(isEventType(action), action).to.equal(false);
  });

  it('says the state of its job: as the entry does, or as its type does', () => {
    const statuses: readonly [string, object, string | null][] = [
      ['job.submitted', {}, 'PENDING'],
      ['job.submitted', { canonical_job_id: OTHER }, 'COMPLETED'],
      ['job.submitted', { status: 'COMPLETED' }, 'COMPLETED'],
      ['job.moved', { before: 'PENDING', after: 'RUNNING' }, 'RUNNING'],
      ['job.claimed', {}, 'RUNNING'],
      ['job.released', {}, 'PENDING'],
      ['job.released', { status: 'FAILED' }, 'FAILED'],
      ['job.completed', {}, 'COMPLETED'],
      ['job.failed', {}, 'FAILED'],
      ['job.canceled', {}, 'CANCELED'],
      ['artifact.added', {}, null],
      ['job.moved', { status: 'WELL', after: 3 }, null],
    ];
    for (const [action, details, expected] of statuses)
      expect(read(action, { ...details }).status, `${action} ${JSON.stringify(details)}`).to.equal(expected);
  });

  it('names its job, wherever the entry does, and those of an entry of many', () => {
    const artifact = { entityType: 'artifact', entityId: OTHER };
    expect(read('artifact.added', { job_id: ID }, artifact)).to.include({
      jobId: ID,
      batchId: null,
      jobs: null,
    });
    const claim = { entityType: 'job_claim', entityId: OTHER };
    const claimed = read('job.claimed', { job_ids: [ID, OTHER], worker: 'w1', engines: { vina: 2 } }, claim);
    expect(claimed).to.deep.include({ jobId: null, jobs: 2, jobIds: [ID, OTHER], worker: 'w1' });
    expect(read('job.claimed', { job_ids: [ID] }, claim)).to.deep.include({ jobId: ID, jobs: 1 });
    const batch = { entityType: 'job_batch', entityId: OTHER };
    expect(read('job_batch.submitted', { jobs: 1000, engine: 'vina', campaign_id: ID }, batch)).to.include({
      jobId: null,
      batchId: OTHER,
      jobs: 1000,
      jobIds: null,
      engine: 'vina',
      campaignId: ID,
    });
    const campaign = { entityType: 'campaign', entityId: OTHER };
    expect(read('campaign.created', {}, campaign)).to.include({ jobId: null, campaignId: OTHER });
  });

  it('takes nothing from details of another form', () => {
    const details = {
      job_id: `${ID}\n\ndata: x`,
      campaign_id: { $ne: null },
      engine: 7,
      worker: ['w'],
      attempt: -1,
      error_code: 'x'.repeat(1000),
      jobs: 1.5,
      job_ids: [ID, 'not an id', null, '… and 3 more', ...Array<string>(200).fill(OTHER)],
    };
    const event = read('job.failed', details, { entityType: 'artifact', entityId: 'x' });
    expect(event).to.include({
      jobId: null,
      campaignId: null,
      engine: null,
      worker: null,
      attempt: null,
      errorCode: 'x'.repeat(255),
    });
    expect(event.jobIds?.length).to.be.below(100);
    expect(new Set(event.jobIds)).to.deep.equal(new Set([ID, OTHER]));
    expect(event.jobs).to.equal(event.jobIds?.length);
  });
});
