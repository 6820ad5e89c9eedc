import type { Pose } from '../../../domain/jobs/score.ts';

/** Poses as they are kept, which is how answers show them: numbers as JavaScript writes them, and nothing that is null. */
export const posesJson = (poses: readonly Pose[]): string =>
  JSON.stringify(
    poses.map(({ rank, affinity, rmsdLowerBound, rmsdUpperBound, intra, unbound, reportedAffinity }) => ({
      rank,
      affinity_kcal_mol: affinity,
      ...(rmsdLowerBound !== null && { rmsd_lower_bound: rmsdLowerBound }),
      ...(rmsdUpperBound !== null && { rmsd_upper_bound: rmsdUpperBound }),
      ...(intra !== null && { intra }),
      ...(unbound !== null && { unbound }),
      ...(reportedAffinity !== null && { reported_affinity_kcal_mol: reportedAffinity }),
    })),
  );
