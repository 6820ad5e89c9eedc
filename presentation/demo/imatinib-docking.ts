import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { WorkFile } from '../worker/organization-work.ts';

/** A real docking: imatinib into the c-Abl kinase domain (PDB 1IEP); `1iep/ORIGIN.md` names its source. */
export interface ImatinibDocking {
  readonly receptor: WorkFile;
  readonly ligand: WorkFile;
  /** The parameters that say where the engine searches. */
  readonly box: Readonly<Record<string, number>>;
  /** What Vina found with `RECORDED_SEARCH`, in minutes. */
  readonly recordedPoses: WorkFile;
}

export const RECORDED_SEARCH = { exhaustiveness: 32, num_modes: 9, energy_range: 3 };
/** Takes Vina some ten seconds. With this seed it finds in one attempt what takes more with others. */
export const QUICK_SEARCH = { exhaustiveness: 1, seed: 7 };

const FOLDER = new URL('1iep/', import.meta.url);

const read = (name: string): Promise<Buffer<ArrayBuffer>> => readFile(new URL(name, FOLDER));

export const readImatinibDocking = async (): Promise<ImatinibDocking> => {
  const [receptor, ligand, box, poses] = await Promise.all([
    read('1iep_receptor.pdbqt.gz').then((bytes) => promisify(gunzip)(bytes)),
    read('1iep_ligand.pdbqt'),
    read('1iep_receptor.box.txt'),
    read('1iep_ligand_vina_out.pdbqt'),
  ]);
  return {
    receptor: pdbqt('1iep_receptor.pdbqt', new Uint8Array(receptor)),
    ligand: pdbqt('1iep_ligand.pdbqt', ligand),
    box: parseBox(box.toString()),
    recordedPoses: pdbqt('poses.pdbqt', poses),
  };
};

const pdbqt = (name: string, bytes: Uint8Array<ArrayBuffer>): WorkFile => ({
  name,
  mediaType: 'chemical/x-pdbqt',
  bytes,
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
