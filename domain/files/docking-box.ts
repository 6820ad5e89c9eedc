import type { JsonObject } from '../jobs/docking-job.ts';
import type { InputIssue } from '../validation-error.ts';
import type { PdbqtInspection } from './pdbqt.ts';

const AXES = ['x', 'y', 'z'] as const;
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

/**
 * Says where a box lies beside a receptor. Vina would dock there in empty space, and end well with scores about 0.
 *
 * @param params with a box that has no issues, or with none
 * @param extent of the receptor's atoms
 */
export const boxPlaceIssues = (
  params: JsonObject,
  extent: NonNullable<PdbqtInspection['extent']>,
): readonly InputIssue[] =>
  AXES.flatMap((axis, index) => {
    const [center, size] = [params[`center_${axis}`], params[`size_${axis}`]];
    const [min, max] = [extent.min[index], extent.max[index]];
    if (typeof center !== 'number' || typeof size !== 'number' || min === undefined || max === undefined)
      return [];
    if (center + size / 2 >= min && center - size / 2 <= max) return [];
    const message = `puts the box beside the receptor, whose atoms lie from ${min} to ${max} Å`;
    return [{ path: `params.center_${axis}`, message }];
  });
