import { randomBytes, randomUUID } from 'node:crypto';
import type { WriteNote } from '../../domain/audit/audit-log.ts';
import type { NewDockingJob } from '../../domain/jobs/docking-job-repository.ts';

/** As a request of `user-1` would leave it. */
export const sampleNote = (action: string): WriteNote => ({
  action,
  details: {},
  userId: 'user-1',
  requestId: null,
  address: null,
});

/** A pending job that is like no other. */
export const sampleJob = (overrides: Partial<NewDockingJob> = {}): NewDockingJob => ({
  jobId: randomUUID(),
  status: 'PENDING',
  engine: 'vina',
  pipelineVersion: '1.0.0',
  inputs: { ligand: 'imatinib', receptor: '1IEP' },
  params: { exhaustiveness: 8 },
  priority: 0,
  inputSignature: randomBytes(32).toString('hex'),
  submittedBy: 'user-1',
  cache: { hit: false, canonicalJobId: null, confidenceScore: null },
  idempotency: null,
  note: sampleNote('job.submitted'),
  ...overrides,
});

/** The newest first, as many as the test server could hold. */
export const ALL_JOBS = [{ status: null }, { limit: 10_000, after: null }] as const;
