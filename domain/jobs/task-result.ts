import type { WriteNote } from '../audit/audit-log.ts';
import type { JsonText } from '../json-text.ts';
import type { PagePart, PartRequest } from '../page.ts';
import type { JsonObject } from './docking-job.ts';
import type { Pose, Score } from './score.ts';

/** What one task of a job's pipeline found. There is one for each job and task name. */
export interface TaskResult {
  readonly taskResultId: string;
  readonly jobId: string;
  readonly taskName: string;
  readonly serviceName: string;
  readonly serviceVersion: string | null;
  readonly schemaVersion: string | null;
  /** 0 to 1. */
  readonly confidenceScore: number | null;
  readonly resultData: JsonText;
  /** A list, best first; empty where the task docked nothing. */
  readonly poses: JsonText;
  /** Why its scores are doubted; empty: they are not. */
  readonly suspect: readonly string[];
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

type Made = 'taskResultId' | 'resultData' | 'poses' | 'suspect' | 'createdAt' | 'updatedAt';

export type NewTaskResult = Omit<TaskResult, Made> & {
  readonly resultData: JsonObject;
  /** In the order of their ranks. */
  readonly poses: readonly Pose[];
  readonly score: Score;
  /** The lease under which it is written; null: none. What a lost lease has written is dropped. */
  readonly leaseId: string | null;
  readonly note: WriteNote;
};

export interface TaskResultRepository {
  /** Inserts, or replaces the result of the same job and task. */
  put(result: NewTaskResult): Promise<{ result: TaskResult; created: boolean }>;
  /** As `put`, of several, no two of the same job and task. */
  putAll(results: readonly NewTaskResult[]): Promise<void>;
  /** In the order of their task names, which are the keys. */
  listByJob(jobId: string, part: PartRequest<string>): Promise<PagePart<TaskResult, string>>;
}
