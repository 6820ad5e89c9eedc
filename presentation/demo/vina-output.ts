/** One position of the ligand in the receptor, as Vina ranks it. */
export interface VinaPose {
  /** 1 is the best. */
  readonly pose: number;
  readonly affinityKcalMol: number;
  /** Distance to the best pose in ångström, with atoms of one type matched as closely as possible. */
  readonly rmsdLowerBound: number;
  /** The same distance with each atom matched to itself. */
  readonly rmsdUpperBound: number;
}

const MODEL = /^MODEL\s+(\d+)\s*$/;
const RESULT = /^REMARK VINA RESULT:\s+(\S+)\s+(\S+)\s+(\S+)\s*$/;

/**
 * Reads the scores of a PDBQT file that AutoDock Vina wrote.
 *
 * @returns the poses in the order of the file, which is best first; at least one
 * @throws {Error} that names the line, when the file holds no pose, a pose without a result, or a score that is not a number
 */
export const parseVinaOutput = (text: string): readonly VinaPose[] => {
  const poses: VinaPose[] = [];
  let model: { readonly number: number; readonly line: number } | null = null;
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const number = MODEL.exec(line)?.[1];
    if (number !== undefined) {
      if (model !== null) throw missingResult(model);
      model = { number: Number(number), line: index + 1 };
    }
    const result = RESULT.exec(line);
    if (result === null) continue;
    if (model === null) throw new Error(`line ${index + 1}: a result that belongs to no model`);
    poses.push({ pose: model.number, ...readScores(result, index + 1) });
    model = null;
  }
  if (model !== null) throw missingResult(model);
  if (poses.length === 0) throw new Error('no poses: this is not the output of Vina');
  return poses;
};

const missingResult = ({ number, line }: { readonly number: number; readonly line: number }): Error =>
  new Error(`line ${line}: model ${number} has no result`);

const readScores = (result: RegExpExecArray, line: number): Omit<VinaPose, 'pose'> => {
  const [affinityKcalMol, rmsdLowerBound, rmsdUpperBound] = result.slice(1).map(Number);
  if (!isNumber(affinityKcalMol) || !isNumber(rmsdLowerBound) || !isNumber(rmsdUpperBound)) {
    throw new Error(`line ${line}: a result takes three numbers`);
  }
  return { affinityKcalMol, rmsdLowerBound, rmsdUpperBound };
};

const isNumber = (value: number | undefined): value is number => Number.isFinite(value);
