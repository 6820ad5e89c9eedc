import type { Actor } from '../../application/actor.ts';
import { claimJobs, type Claimed } from '../../application/jobs/claim-jobs.ts';
import type { ResultsDatabase } from '../../application/ports/databases/results-database.ts';
import type { JobClaim } from '../../domain/jobs/job-attempt-repository.ts';

const claim = claimJobs({ workHints: { take: async () => [], settle: async () => undefined } });

/** As a worker claims that came by itself, and not because of a hint. */
export const claimUnhinted = (database: ResultsDatabase, actor: Actor, asked: JobClaim): Promise<Claimed> =>
  claim(database, actor, asked, null);
