import { fileReferencesOf, type FileReference } from '../../domain/files/file-reference.ts';
import type { SubmissionWarning } from '../../domain/files/submission-warning.ts';
import { vinaIssues, vinaWarnings } from '../../domain/files/vina-inputs.ts';
import type { JobSpecification } from '../../domain/jobs/docking-job.ts';
import { ValidationError, type InputIssue } from '../../domain/validation-error.ts';
import type { ResultsRepositories } from '../ports/databases/results-database.ts';

interface CheckedInputs {
  readonly issues: readonly InputIssue[];
  readonly warnings: readonly SubmissionWarning[];
}

type Checked = Pick<JobSpecification, 'engine' | 'inputs' | 'params'>;

/**
 * Checks the files that jobs refer to, all of them with one statement. None is collected before the transaction ends: record
 * them in it with `files.refer`.
 *
 * @returns for each job what is wrong with it, or odd, with paths within its request
 */
export const checkInputFiles = async (
  { files }: Pick<ResultsRepositories, 'files'>,
  jobs: readonly Checked[],
): Promise<readonly CheckedInputs[]> => {
  const all = jobs.map((job) => ({ job, ...fileReferencesOf(job.inputs) }));
  const hashes = new Set(
    all.flatMap(({ references, issues }) =>
      issues.length > 0 ? [] : references.map(({ sha256 }) => sha256),
    ),
  );
  const stored = hashes.size === 0 ? new Map<string, never>() : await files.hold([...hashes]);
  return all.map(({ job, references, issues }) => {
    if (issues.length > 0) return { issues, warnings: [] };
    const missing = references
      .filter(({ sha256 }) => !stored.has(sha256))
      .map(({ role }) => ({ path: `inputs.${role}.file`, message: 'names no file of the organization' }));
    return {
      issues: [...missing, ...vinaIssues(job, references, stored)],
      warnings: vinaWarnings(job, references, stored),
    };
  });
};

/** As `checkInputFiles`, of one job. @throws {ValidationError} */
export const assertInputFiles = async (
  repositories: Pick<ResultsRepositories, 'files'>,
  job: Checked,
): Promise<readonly SubmissionWarning[]> => {
  const [{ issues, warnings } = { issues: [], warnings: [] }] = await checkInputFiles(repositories, [job]);
  if (issues.length > 0) throw new ValidationError(issues);
  return warnings;
};

/** Records what a job that was just inserted refers to. */
export const recordInputFiles = async (
  { files }: Pick<ResultsRepositories, 'files'>,
  jobs: readonly { readonly jobId: string; readonly references: readonly FileReference[] }[],
): Promise<void> => {
  const rows = jobs.flatMap(({ jobId, references }) =>
    references.map((reference) => ({ ...reference, jobId })),
  );
  if (rows.length > 0) await files.refer(rows);
};
