/** One position of the ligand in the receptor, as Vina ranks it. */
export interface VinaPose {
  /** 1 is the best. */
  readonly pose: number;
  readonly affinityKcalMol: number;
  /** Distance to the best pose in ångström, with atoms of one type matched as closely as possible. */
  readonly rmsdLowerBound: number;
  /** The same distance with each atom matched to itself. */
  readonly rmsdUpperBound: number;
  /** Energies in kcal/mol; null: not in the file. The last one is what the affinities count as unbound. */
  readonly interAndIntra: number | null;
  readonly intra: number | null;
  readonly unbound: number | null;
  readonly atoms: number;
}

const MODEL = /^MODEL\s+(\d+)\s*$/;
const RESULT = /^REMARK VINA RESULT:\s+(\S+)\s+(\S+)\s+(\S+)\s*$/;
const INTER_AND_INTRA = /^REMARK INTER \+ INTRA:\s+(\S+)\s*$/;
const INTRA = /^REMARK INTRA:\s+(\S+)\s*$/;
const UNBOUND = /^REMARK UNBOUND:\s+(\S+)\s*$/;
const ATOM = /^(?:ATOM|HETATM)\b/;

interface Model {
  readonly number: number;
  readonly line: number;
  scores: Pick<VinaPose, 'affinityKcalMol' | 'rmsdLowerBound' | 'rmsdUpperBound'> | null;
  interAndIntra: number | null;
  intra: number | null;
  unbound: number | null;
  atoms: number;
}

/**
 * Reads the scores of a PDBQT file that AutoDock Vina wrote.
 *
 * @returns the poses in the order of the file, which is best first; at least one
 * @throws {Error} that names the line, when the file holds no pose, a pose without a result, or a score that is not a number
 */
export const parseVinaOutput = (text: string): readonly VinaPose[] => {
  const models: Model[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const number = MODEL.exec(line)?.[1];
    if (number === undefined) readLine(line, index + 1, models.at(-1));
    else models.push(newModel(Number(number), index + 1));
  }
  if (models.length === 0) throw new Error('no poses: this is not the output of Vina');
  return models.map(({ number, line, scores, ...facts }) => {
    if (scores === null) throw new Error(`line ${line}: model ${number} has no result`);
    return { pose: number, ...scores, ...facts };
  });
};

/** Whether the text holds a pose at all, with or without scores. */
export const hasPoses = (text: string): boolean => /^MODEL\s/m.test(text);

/** Whether a ligand's ring was opened, with pairs of atoms that glue it together while it is docked. */
export const hasGlueAtoms = (text: string): boolean => /^(?:ATOM|HETATM)\b.*\s(?:CG|G)\d\s*$/m.test(text);

/** How many atoms a PDBQT file has, in all its models. */
export const countAtoms = (text: string): number => text.split('\n').filter((line) => ATOM.test(line)).length;

const newModel = (number: number, line: number): Model => ({
  number,
  line,
  scores: null,
  interAndIntra: null,
  intra: null,
  unbound: null,
  atoms: 0,
});

const readLine = (text: string, line: number, model: Model | undefined): void => {
  const result = RESULT.exec(text);
  if (model === undefined) {
    if (result !== null) throw new Error(`line ${line}: a result that belongs to no model`);
    return;
  }
  if (result !== null) model.scores = readScores(result, line);
  else if (ATOM.test(text)) model.atoms += 1;
  else {
    model.interAndIntra = readEnergy(INTER_AND_INTRA.exec(text), line) ?? model.interAndIntra;
    model.intra = readEnergy(INTRA.exec(text), line) ?? model.intra;
    model.unbound = readEnergy(UNBOUND.exec(text), line) ?? model.unbound;
  }
};

const readScores = (result: RegExpExecArray, line: number): NonNullable<Model['scores']> => {
  const [affinityKcalMol, rmsdLowerBound, rmsdUpperBound] = result.slice(1).map(Number);
  if (!isNumber(affinityKcalMol) || !isNumber(rmsdLowerBound) || !isNumber(rmsdUpperBound)) {
    throw new Error(`line ${line}: a result takes three numbers`);
  }
  return { affinityKcalMol, rmsdLowerBound, rmsdUpperBound };
};

const readEnergy = (found: RegExpExecArray | null, line: number): number | null => {
  if (found === null) return null;
  const energy = Number(found[1]);
  if (!isNumber(energy)) throw new Error(`line ${line}: an energy is a number`);
  return energy;
};

const isNumber = (value: number | undefined): value is number => Number.isFinite(value);
