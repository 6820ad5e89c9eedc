import type { Schemas } from '../api/client.ts';
import { boxOf } from '../pose/box.ts';
import { fileHash } from '../pose/pose-files.ts';
import { EMPTY_DRAFT, textOfBox, type Draft, type DraftFile } from './draft.ts';

/** A form that is filled in as a job or a campaign was. Their files were looked at when they were submitted. */
export const draftFrom = ({ inputs, params }: Pick<Schemas['Job'], 'inputs' | 'params'>): Draft => {
  const ligand = fileOf(inputs['ligand'], 'ligand');
  const box = boxOf(params);
  return {
    ...EMPTY_DRAFT,
    receptor: fileOf(inputs['receptor'], 'receptor'),
    ligands: ligand === null ? [] : [ligand],
    box: box === null ? {} : textOfBox(box),
    exhaustiveness: textOf(params['exhaustiveness'], EMPTY_DRAFT.exhaustiveness),
    modes: textOf(params['num_modes'], EMPTY_DRAFT.modes),
    seed: textOf(params['seed'], ''),
  };
};

const textOf = (value: unknown, otherwise: string): string =>
  typeof value === 'number' ? String(value) : otherwise;

const fileOf = (input: unknown, kind: 'ligand' | 'receptor'): DraftFile | null => {
  const sha256 = fileHash(input);
  if (sha256 === null) return null;
  // `fileHash` has found an object.
  const { name } = input as { readonly name?: unknown };
  return { sha256, name: typeof name === 'string' ? name : null, kind, findings: [] };
};
