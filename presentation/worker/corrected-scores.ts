import type { VinaPose } from './vina-output.ts';

/** What the engine said, where other scores are delivered. */
export interface Correction {
  readonly reason: 'unbound_energy_of_worst_pose';
  readonly reportedUnbound: number;
  readonly reportedAffinity: number;
}

interface Scores {
  readonly poses: readonly VinaPose[];
  /** Null: these are the engine's own. */
  readonly correction: Correction | null;
}

/** The file has three digits after the point. */
const ROUNDING = 0.0015;
/** The scale is the quotient of two rounded numbers: with a small one it is not known well enough. */
const MIN_DIFFERENCE = 1;

/**
 * Undoes a fault of Vina 1.2.3, which is what Debian ships: of the poses that it found, it takes the energy of the unbound
 * ligand from the worst instead of the best, and every affinity is wrong by the same amount, often by kilocalories. From
 * release 1.2.4 on the unbound energy is `INTRA` of pose 1. An affinity is (inter + intra − unbound) · scale; the scale
 * depends on the ligand's torsions alone, and is read off the file.
 *
 * Left as they are: scores that do not follow this rule, and those of macrocycles with glue atoms, which 1.2.3 gets wrong in
 * another way as well. For these `intra` and `unbound` of pose 1 differ in what is delivered.
 */
export const correctScores = (
  poses: readonly VinaPose[],
  { hasGlue }: { readonly hasGlue: boolean },
): Scores => {
  const [best] = poses;
  const asReported = { poses, correction: null };
  if (best === undefined || hasGlue || best.intra === null || best.unbound === null) return asReported;
  const { intra, unbound } = best;
  if (Math.abs(intra - unbound) < ROUNDING) return asReported;
  const scale = scaleOf(poses, unbound);
  if (scale === null) return asReported;
  return {
    poses: poses.map((pose) => ({
      ...pose,
      affinityKcalMol: Math.round(((pose.interAndIntra ?? 0) - intra) * scale * 1000) / 1000,
      unbound: intra,
    })),
    correction: {
      reason: 'unbound_energy_of_worst_pose',
      reportedUnbound: unbound,
      reportedAffinity: best.affinityKcalMol,
    },
  };
};

/** Null unless one scale explains the affinities of all poses. */
const scaleOf = (poses: readonly VinaPose[], unbound: number): number | null => {
  const boundBy = poses.map(({ interAndIntra }) => (interAndIntra ?? Number.NaN) - unbound);
  const [most = 0] = boundBy;
  const scale = (poses[0]?.affinityKcalMol ?? 0) / most;
  const isKnown = Math.abs(most) >= MIN_DIFFERENCE && scale > 0 && scale <= 1;
  const explains = poses.every(
    (pose, index) =>
      pose.unbound === unbound &&
      Math.abs(pose.affinityKcalMol - scale * (boundBy[index] ?? Number.NaN)) <= 2 * ROUNDING,
  );
  return isKnown && explains ? scale : null;
};
