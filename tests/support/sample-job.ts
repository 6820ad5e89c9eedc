import { randomBytes, randomUUID } from 'node:crypto';
import type { NewDockingJob } from '../../domain/jobs/docking-job-repository.ts';

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
  ...overrides,
});

/** The newest first, as many as the test server could hold. */
export const ALL_JOBS = [{ status: null }, { limit: 10_000, after: null }] as const;
