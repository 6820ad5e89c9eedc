import type { Model } from './pdbqt-to-pdb.ts';

/**
 * The poses of a file with the affinities that rankings show: a worker may have corrected what the engine wrote into the file.
 * As they are where the job's result does not say as much of each of them.
 */
export const scored = (
  models: readonly Model[],
  poses: readonly { readonly affinity_kcal_mol: number }[],
): readonly Model[] =>
  models.length !== poses.length
    ? models
    : models.map((model, index) => {
        const affinity = poses[index]?.affinity_kcal_mol;
        if (affinity === undefined || model.result === null) return model;
        return { ...model, result: { ...model.result, affinity } };
      });
