/** Where a docking puts the ligand, and how well it binds there. Energies are in kcal/mol, distances in Å. */
export interface Pose {
  /** 1 for the best of its task. */
  readonly rank: number;
  readonly affinity: number;
  /** From the best pose; null where the engine gave none. */
  readonly rmsdLowerBound: number | null;
  readonly rmsdUpperBound: number | null;
  /** The ligand's inner energy in this pose, and free. */
  readonly intra: number | null;
  readonly unbound: number | null;
  /** What the engine said, where the worker corrected it; null: the affinity is the engine's own. */
  readonly reportedAffinity: number | null;
}

/**
 * Why a score is doubted. A doubted score is kept and shown, stands aside in rankings, and answers for no other job.
 * - `intra_unbound_mismatch`: of pose 1 both energies are the same by definition; Vina 1.2.3 breaks that for macrocycles.
 * - `out_of_range`: no ligand binds that well, or the best pose does not bind at all.
 * - `no_improvement`, `fewer_atoms_than_input`: what only a worker sees, who has the files and the log.
 */
export const SUSPECT_REASONS = [
  'intra_unbound_mismatch',
  'out_of_range',
  'no_improvement',
  'fewer_atoms_than_input',
] as const;
export type SuspectReason = (typeof SUSPECT_REASONS)[number];

export const MAX_POSES = 100;

const MOST_MISMATCH = 0.1;
/** What a docking can find, in kcal/mol. */
export const [LOWEST_AFFINITY, HIGHEST_AFFINITY] = [-25, 0];

/** What poses amount to. */
export interface Score {
  /** Of any pose, the lowest; null without poses. */
  readonly bestAffinity: number | null;
  /** Each reason once, in the order of `SUSPECT_REASONS`. */
  readonly suspect: readonly SuspectReason[];
}

/** @param reported reasons of which the worker knows */
export const scoreOf = (poses: readonly Pose[], reported: readonly SuspectReason[]): Score => {
  const bestAffinity = poses.length === 0 ? null : Math.min(...poses.map(({ affinity }) => affinity));
  const found = new Set<SuspectReason>(reported);
  if (isMismatched(poses.find(({ rank }) => rank === 1))) found.add('intra_unbound_mismatch');
  if (bestAffinity !== null && (bestAffinity < LOWEST_AFFINITY || bestAffinity > HIGHEST_AFFINITY))
    found.add('out_of_range');
  return { bestAffinity, suspect: SUSPECT_REASONS.filter((reason) => found.has(reason)) };
};

const isMismatched = (first: Pose | undefined): boolean =>
  first !== undefined &&
  first.intra !== null &&
  first.unbound !== null &&
  Math.abs(first.intra - first.unbound) > MOST_MISMATCH;
