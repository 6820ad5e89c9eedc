import type { JobSpecification } from '../jobs/docking-job.ts';
import type { InputIssue } from '../validation-error.ts';
import { boxIssues, boxWarnings } from './docking-box.ts';
import type { FileReference } from './file-reference.ts';
import type { PdbqtKind } from './pdbqt.ts';
import type { StoredFile } from './stored-file.ts';
import type { SubmissionWarning } from './submission-warning.ts';

const ENGINE = 'vina';

const KINDS: Readonly<Record<PdbqtKind, string>> = {
  ligand: 'a ligand (it has ROOT, BRANCH or TORSDOF)',
  receptor: 'a receptor (it has no ROOT)',
  flexible_residues: 'flexible residues (it has BEGIN_RES)',
  poses: 'docked poses (it has MODEL)',
};

/**
 * What AutoDock Vina would refuse of a job that refers to files. Files of formats that the service does not know pass: the
 * worker says whether it takes them. Decision 0046.
 *
 * @param files those that are stored
 */
export const vinaIssues = (
  { engine, inputs, params }: Pick<JobSpecification, 'engine' | 'inputs' | 'params'>,
  references: readonly FileReference[],
  files: ReadonlyMap<string, StoredFile>,
): readonly InputIssue[] => {
  if (engine !== ENGINE || references.length === 0) return [];
  return [
    ...(Object.hasOwn(inputs, 'flex')
      ? [{ path: 'inputs.flex', message: 'is not offered: flexible residues are not docked here' }]
      : []),
    ...references.flatMap((reference) => roleIssues(reference, files.get(reference.sha256))),
    ...boxIssues(params),
  ];
};

/** What is odd about a job of which Vina would refuse nothing. @param files those that are stored */
export const vinaWarnings = (
  { engine, params }: Pick<JobSpecification, 'engine' | 'params'>,
  references: readonly FileReference[],
  files: ReadonlyMap<string, StoredFile>,
): readonly SubmissionWarning[] => {
  if (engine !== ENGINE || references.length === 0) return [];
  const receptor = references.find(({ role }) => role === 'receptor');
  const extent = receptor && files.get(receptor.sha256)?.inspection?.extent;
  return boxWarnings(params, extent ?? null);
};

const roleIssues = ({ role }: FileReference, file: StoredFile | undefined): readonly InputIssue[] => {
  const inspection = file?.inspection ?? null;
  if (inspection === null || (role !== 'receptor' && role !== 'ligand')) return [];
  const path = `inputs.${role}.file`;
  const { kind, findings } = inspection;
  if (kind !== role) return [{ path, message: `must be a ${role}, and is ${KINDS[kind]}` }];
  const error = findings.find(({ severity }) => severity === 'error');
  if (error === undefined) return [];
  const place = error.line === null ? '' : `line ${error.line}: `;
  return [{ path, message: `is no ${role} that Vina takes: ${place}${error.message}` }];
};
