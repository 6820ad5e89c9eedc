import type { StoredFile } from '../files/use-upload.ts';
import { BOX_FIELDS, boxOf, type Box } from '../pose/box.ts';

/** A file of the service, as the form needs it. */
export type DraftFile = Pick<StoredFile, 'sha256' | 'name' | 'findings' | 'kind'>;

/** What somebody has filled in. Numbers are as typed. */
export interface Draft {
  readonly receptor: DraftFile | null;
  readonly ligands: readonly DraftFile[];
  readonly box: Readonly<Record<string, string>>;
  readonly exhaustiveness: string;
  readonly modes: string;
  readonly seed: string;
  readonly usesCache: boolean;
  /** Of the campaign to make; empty for none. */
  readonly name: string;
  /** The campaign that is there already. */
  readonly campaignId: string | null;
}

export const EMPTY_DRAFT: Draft = {
  receptor: null,
  ligands: [],
  box: {},
  exhaustiveness: '8',
  modes: '9',
  seed: '',
  usesCache: true,
  name: '',
  campaignId: null,
};

/** Vina's own largest box without a warning is 27,000 Å³. */
const LARGE_BOX = 27_000;

export const boxIn = ({ box }: Pick<Draft, 'box'>): Box | null =>
  boxOf(Object.fromEntries(BOX_FIELDS.map((field) => [field, toNumber(box[field] ?? '')])));

const toNumber = (typed: string): number =>
  typed.trim() === '' ? Number.NaN : Number(typed.replace(',', '.').replace('−', '-'));

export const textOfBox = (box: Box): Readonly<Record<string, string>> =>
  Object.fromEntries(BOX_FIELDS.map((field) => [field, String(box[field])]));

const hasError = ({ findings }: DraftFile): boolean => findings.some(({ severity }) => severity === 'error');

interface Problems {
  /** What keeps the draft from being submitted. */
  readonly errors: readonly string[];
  /** What may be meant so. */
  readonly warnings: readonly string[];
}

/** Checked before the click: the service checks again. */
export const problemsOf = (draft: Draft): Problems => {
  const errors: string[] = [];
  const warnings: string[] = [];
  if (draft.receptor === null) errors.push('Choose a receptor.');
  else if (hasError(draft.receptor)) errors.push('The receptor has errors: mend them, or choose another.');
  if (draft.ligands.length === 0) errors.push('Choose at least one ligand.');
  const rejected = draft.ligands.filter(hasError).length;
  if (rejected > 0 && rejected === draft.ligands.length) errors.push('No ligand can be docked.');
  else if (rejected > 0) warnings.push(`${rejected} of the ligands have errors, and are left out.`);
  const box = boxIn(draft);
  if (box === null) errors.push('The search box needs six numbers.');
  else {
    const sizes = [box.size_x, box.size_y, box.size_z];
    if (sizes.some((size) => size <= 0)) errors.push('The sizes of the box must be above 0.');
    else if (sizes.reduce((volume, size) => volume * size, 1) > LARGE_BOX)
      warnings.push('The box is large: raise the exhaustiveness, or the best pose may be missed.');
  }
  for (const [field, most] of [
    ['exhaustiveness', 128],
    ['modes', 100],
  ] as const) {
    const value = toNumber(draft[field]);
    if (!Number.isInteger(value) || value < 1 || value > most)
      errors.push(
        `${field === 'modes' ? 'Poses' : 'Exhaustiveness'} must be a whole number from 1 to ${most}.`,
      );
  }
  if (draft.seed.trim() !== '' && !Number.isInteger(toNumber(draft.seed)))
    errors.push('The seed must be a whole number, or empty.');
  return { errors, warnings };
};

/** What the API takes. @throws {Error} where `problemsOf` has errors */
export const requestOf = (draft: Draft) => {
  const box = boxIn(draft);
  if (draft.receptor === null || box === null) throw new Error('the form is not complete');
  return {
    engine: 'vina',
    inputs: { receptor: inputOf(draft.receptor) },
    params: {
      ...box,
      exhaustiveness: toNumber(draft.exhaustiveness),
      num_modes: toNumber(draft.modes),
      ...(draft.seed.trim() !== '' && { seed: toNumber(draft.seed) }),
    },
    items: dockable(draft).map((ligand) => ({
      label: labelOf(ligand),
      inputs: { ligand: inputOf(ligand) },
    })),
  };
};

export const dockable = ({ ligands }: Draft): readonly DraftFile[] =>
  ligands.filter((ligand) => !hasError(ligand));

/** Without the ending, which says nothing in a ranking. */
export const labelOf = ({ name, sha256 }: DraftFile): string =>
  (name ?? sha256.slice(0, 12)).replace(/\.pdbqt$/i, '').slice(0, 255) || sha256.slice(0, 12);

const inputOf = ({ sha256, name }: DraftFile) => ({
  file: `sha256:${sha256}`,
  ...(name !== null && { name }),
});

const keyOf = (orgId: string): string => `mad.draft.${orgId}`;

/** A draft stays in this browser until it is submitted. */
export const keepDraft = (orgId: string, draft: Draft): void => {
  try {
    localStorage.setItem(keyOf(orgId), JSON.stringify(draft));
  } catch {
    // A large library does not fit: then the draft is gone with the tab.
  }
};

export const keptDraft = (orgId: string): Draft => {
  try {
    // Written by `keepDraft`; what an older version wrote is completed.
    return { ...EMPTY_DRAFT, ...(JSON.parse(localStorage.getItem(keyOf(orgId)) ?? '{}') as Partial<Draft>) };
  } catch {
    return EMPTY_DRAFT;
  }
};

export const dropDraft = (orgId: string): void => localStorage.removeItem(keyOf(orgId));
