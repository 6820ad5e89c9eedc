import type { JsonObject } from '../jobs/docking-job.ts';
import type { InputIssue } from '../validation-error.ts';

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
