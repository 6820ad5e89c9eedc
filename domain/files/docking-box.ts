import type { JsonObject } from '../jobs/docking-job.ts';
import type { InputIssue } from '../validation-error.ts';
import type { PdbqtInspection } from './pdbqt.ts';
import type { SubmissionWarning } from './submission-warning.ts';

const SIZES = ['size_x', 'size_y', 'size_z'] as const;
const FIELDS = ['center_x', 'center_y', 'center_z', ...SIZES] as const;

/** What is wrong with the box in which Vina searches, if the params name one. */
export const boxIssues = (params: JsonObject): readonly InputIssue[] => {
  if (!FIELDS.some((field) => Object.hasOwn(params, field))) return [];
  return FIELDS.flatMap((field) => {
    const value = Object.hasOwn(params, field) ? params[field] : undefined;
    const path = `params.${field}`;
    if (value === undefined) return [{ path, message: 'is required beside the other numbers of the box' }];
    if (typeof value !== 'number') return [{ path, message: 'must be a number, in Å' }];
    const isSize = SIZES.some((size) => size === field);
    return isSize && value <= 0 ? [{ path, message: 'must be greater than 0 Å' }] : [];
  });
};

/** In Å³. Vina warns of a larger one: it searches it poorly with the usual exhaustiveness. */
const MAX_VOLUME = 27_000;

/** What is odd about a box in which nothing is wrong. @param receptor null: not known */
export const boxWarnings = (
  params: JsonObject,
  receptor: PdbqtInspection['extent'],
): readonly SubmissionWarning[] => {
  const axes = AXES.map((axis) => ({ center: params[`center_${axis}`], size: params[`size_${axis}`] }));
  const box = axes.filter(isRange);
  if (box.length < AXES.length) return [];
  const volume = box.reduce((product, { size }) => product * size, 1);
  const isOutside =
    receptor !== null &&
    box.some(
      ({ center, size }, axis) =>
        center + size / 2 < (receptor.min[axis] ?? -Infinity) ||
        center - size / 2 > (receptor.max[axis] ?? Infinity),
    );
  return [...(volume > MAX_VOLUME ? [LARGE_BOX] : []), ...(isOutside ? [RECEPTOR_OUTSIDE_BOX] : [])];
};

const AXES = ['x', 'y', 'z'] as const;

const LARGE_BOX: SubmissionWarning = {
  code: 'large_box',
  path: 'params',
  message: `the box has more than ${MAX_VOLUME} Å³: raise the exhaustiveness, or search a smaller one`,
};

const RECEPTOR_OUTSIDE_BOX: SubmissionWarning = {
  code: 'receptor_outside_box',
  path: 'inputs.receptor.file',
  message: 'no atom of the receptor lies in the box',
};

const isRange = (axis: {
  readonly center: unknown;
  readonly size: unknown;
}): axis is { readonly center: number; readonly size: number } =>
  typeof axis.center === 'number' && typeof axis.size === 'number';
