import { correctScores } from './corrected-scores.ts';
import { countAtoms, hasGlueAtoms, type VinaPose } from './vina-output.ts';

/** What the scores come from. */
interface DockingFacts {
  /** What the engine calls itself. */
  readonly version: string;
  readonly scoring: string;
  /** Null: it is not known. */
  readonly seed: number | null;
  /** The text of the file that was docked. */
  readonly ligand: string;
}

/** A docking's result, as `POST /jobs/{job_id}/complete` takes it. The service adds the doubts that the scores show. */
export const toTaskResult = (
  found: readonly VinaPose[],
  { version, scoring, seed, ligand }: DockingFacts,
): object => {
  const { poses, correction } = correctScores(found, { hasGlue: hasGlueAtoms(ligand) });
  const atoms = countAtoms(ligand);
  const isWhole = poses.every((pose) => pose.atoms >= atoms);
  return {
    task_name: 'docking',
    service_name: 'autodock-vina',
    service_version: version,
    schema_version: '1',
    result_data: {
      scoring_function: scoring,
      seed,
      ...(correction !== null && {
        correction: {
          reason: correction.reason,
          reported_unbound: correction.reportedUnbound,
          reported_affinity_kcal_mol: correction.reportedAffinity,
        },
      }),
    },
    poses: poses.map((pose, index) => ({
      rank: pose.pose,
      affinity_kcal_mol: pose.affinityKcalMol,
      rmsd_lower_bound: pose.rmsdLowerBound,
      rmsd_upper_bound: pose.rmsdUpperBound,
      ...(pose.intra !== null && { intra: pose.intra }),
      ...(pose.unbound !== null && { unbound: pose.unbound }),
      ...(correction !== null && { reported_affinity_kcal_mol: found[index]?.affinityKcalMol }),
    })),
    suspect: isWhole ? [] : ['fewer_atoms_than_input'],
  };
};
