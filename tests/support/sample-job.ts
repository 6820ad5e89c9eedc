import { randomBytes, randomUUID } from 'node:crypto';
import type { WriteNote } from '../../domain/audit/audit-log.ts';
import type { NewDockingJob } from '../../domain/jobs/docking-job-repository.ts';
import type { NewTaskResult } from '../../domain/jobs/task-result.ts';

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
  label: null,
  campaignId: null,
  retryOf: null,
  maxAttempts: 3,
  maxRuntimeSeconds: null,
  idempotency: null,
  note: sampleNote('job.submitted'),
  ...overrides,
});

/** What one task of a job found. */
export const sampleResult = (jobId: string, overrides: Partial<NewTaskResult> = {}): NewTaskResult => ({
  jobId,
  taskName: 'docking',
  serviceName: 'vina',
  serviceVersion: '1.2.5',
  schemaVersion: null,
  confidenceScore: 0.5,
  resultData: { affinity: -12.9 },
  poses: [],
  score: { bestAffinity: null, suspect: [] },
  leaseId: null,
  note: sampleNote('task_result.written'),
  ...overrides,
});

/** As many task results or artifacts as the test server could hold. */
export const ALL_OUTPUTS = { limit: 10_000, after: null } as const;

/** The newest first, as many as the test server could hold. */
export const ALL_JOBS = [{ status: null }, { limit: 10_000, after: null }] as const;
