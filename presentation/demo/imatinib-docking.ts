import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { parseVinaOutput, type VinaPose } from '../worker/vina-output.ts';

/** A docking as the API takes it: what a chemist submits, and what a worker delivers. */
export interface Docking {
  readonly submission: { readonly engine: string; readonly inputs: object; readonly params: object };
  readonly taskResult: {
    readonly service_name: string;
    readonly schema_version: string;
    readonly result_data: object;
  };
  readonly artifacts: readonly Artifact[];
  readonly poses: readonly VinaPose[];
}

interface Artifact {
  readonly name: string;
  readonly purpose: string;
  readonly uri: string;
  readonly content_type: string;
  readonly size_bytes: number;
  readonly checksum: string;
}

const FOLDER = new URL('1iep/', import.meta.url);
const LIGAND = '1iep_ligand.pdbqt';
const RECEPTOR = '1iep_receptor.pdbqt';
const BOX = '1iep_receptor.box.txt';
const POSES = '1iep_ligand_vina_out.pdbqt';

/**
 * Reads a real docking of imatinib into the c-Abl kinase domain (PDB 1IEP); `1iep/ORIGIN.md` names its source. The inputs
 * contain the ligand, which is small, and name the receptor by its checksum.
 */
export const readImatinibDocking = async (): Promise<Docking> => {
  const read = (name: string): Promise<Buffer> => readFile(new URL(name, FOLDER));
  const [ligand, receptorGzip, box, output] = await Promise.all([
    read(LIGAND),
    read(`${RECEPTOR}.gz`),
    read(BOX),
    read(POSES),
  ]);
  const receptor = await promisify(gunzip)(receptorGzip);
  const poses = parseVinaOutput(output.toString());
  return {
    submission: {
      engine: 'vina',
      inputs: {
        receptor: { name: RECEPTOR, pdb_id: '1IEP', ...fingerprintOf(receptor) },
        ligand: { name: LIGAND, ...fingerprintOf(ligand), pdbqt: ligand.toString() },
        box: parseBox(box.toString()),
      },
      params: { exhaustiveness: 32, num_modes: 9, energy_range: 3 },
    },
    taskResult: { service_name: 'autodock-vina', schema_version: '1', result_data: toResultData(poses) },
    artifacts: [
      {
        name: POSES,
        purpose: 'poses',
        uri: new URL(POSES, FOLDER).href,
        content_type: 'chemical/x-pdbqt',
        size_bytes: output.length,
        checksum: `sha256:${sha256(output)}`,
      },
    ],
    poses,
  };
};

const sha256 = (content: Buffer): string => createHash('sha256').update(content).digest('hex');

const fingerprintOf = (content: Buffer): { sha256: string; size_bytes: number } => ({
  sha256: sha256(content),
  size_bytes: content.length,
});

/** Vina's configuration file: lines `center_x = 15.190`. */
const parseBox = (text: string): Record<string, number> =>
  Object.fromEntries(
    text
      .split('\n')
      .filter((line) => line.includes('='))
      .map((line) => {
        const [name = '', value] = line.split('=');
        return [name.trim(), Number(value)];
      }),
  );

const toResultData = (poses: readonly VinaPose[]): object => ({
  scoring_function: 'vina',
  best_affinity_kcal_mol: poses[0]?.affinityKcalMol,
  poses: poses.map(({ pose, affinityKcalMol, rmsdLowerBound, rmsdUpperBound }) => ({
    pose,
    affinity_kcal_mol: affinityKcalMol,
    rmsd_lower_bound: rmsdLowerBound,
    rmsd_upper_bound: rmsdUpperBound,
  })),
});
