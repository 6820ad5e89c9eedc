export interface Atom {
  readonly name: string;
  readonly element: string;
  readonly residueName: string;
  readonly chain: string;
  /** With the insertion code, as in "52A". */
  readonly residueNumber: string;
  readonly x: number;
  readonly y: number;
  readonly z: number;
}

/** One model of a PDBQT file: one pose, or the whole file where it has no MODEL. */
export interface Model {
  /** Lines ATOM and HETATM of a PDB file, each with its element in columns 77–78. */
  readonly pdb: string;
  readonly atoms: readonly Atom[];
  /** What Vina wrote above the pose, in kcal/mol and ångström. */
  readonly result: {
    readonly affinity: number;
    readonly rmsdLowerBound: number;
    readonly rmsdUpperBound: number;
  } | null;
}

/**
 * Reads PDBQT as AutoDock Vina reads it: the atom type is in columns 78–79, and ROOT, BRANCH and TORSDOF are no atoms. 3Dmol
 * must not be given PDBQT: it looks for the element one column too early, which makes Br a boron and Fe a fluorine, and takes
 * ENDROOT for the end of a model. Blank lines and CRLF are tolerated. Atoms that stand for nothing (dummies, water of
 * hydrated docking) and atoms without coordinates are left out.
 */
export const readPdbqt = (text: string): readonly Model[] => {
  const models: { lines: string[]; atoms: Atom[]; result: Model['result'] }[] = [];
  let current: (typeof models)[number] | null = null;
  const model = () => {
    if (current === null) models.push((current = { lines: [], atoms: [], result: null }));
    return current;
  };
  for (const line of text.split(/\r\n|\n|\r/)) {
    const record = line.slice(0, 6).trimEnd();
    if (record === 'MODEL' || record === 'ENDMDL') current = null;
    else if (record === 'REMARK') {
      const result = toResult(line);
      if (result !== null) model().result = result;
    } else if (record === 'ATOM' || record === 'HETATM') {
      const atom = toAtom(line);
      if (atom === null) continue;
      model().lines.push(toPdbLine(line, atom.element));
      model().atoms.push(atom);
    }
  }
  return models
    .filter(({ atoms }) => atoms.length > 0)
    .map(({ lines, atoms, result }) => ({ pdb: lines.join('\n'), atoms, result }));
};

/** A PDB file of these models, in their order. A single one is written without MODEL. */
export const toPdb = (models: readonly Model[]): string => {
  if (models.length === 1) return `${models[0]?.pdb ?? ''}\nEND\n`;
  const parts = models.map(({ pdb }, index) => `MODEL ${String(index + 1).padStart(8)}\n${pdb}\nENDMDL\n`);
  return `${parts.join('')}END\n`;
};

/** AutoDock's atom types that are not spelled as their element. Null stands for no atom. */
const ELEMENT_OF_TYPE: Readonly<Record<string, string | null>> = {
  A: 'C',
  Z: 'C',
  NA: 'N',
  NS: 'N',
  OA: 'O',
  OS: 'O',
  SA: 'S',
  HD: 'H',
  HS: 'H',
  W: null,
  OW: 'O',
};

const TWO_LETTERS = new Set(
  'Al As At Ba Be Br Ca Cd Cl Co Cr Cs Cu Fe Ga Hg Li Mg Mn Mo Na Ni Pb Pd Pt Rb Rh Ru Se Si Sr Te Ti Zn Zr'.split(
    ' ',
  ),
);

/** Null for types that stand for no atom. An unknown type counts as the element that it begins with. */
export const elementOf = (type: string): string | null => {
  const known = ELEMENT_OF_TYPE[type];
  if (known !== undefined) return known;
  // The rings of macrocycles: CG0 to CG3 are carbons, G0 to G3 the dummies that close a ring.
  if (/^CG\d?$/.test(type)) return 'C';
  if (/^G\d?$/.test(type)) return null;
  const titled = type.slice(0, 1).toUpperCase() + type.slice(1, 2).toLowerCase();
  return TWO_LETTERS.has(titled) ? titled : titled.slice(0, 1);
};

const toAtom = (line: string): Atom | null => {
  const type = /^\S{0,3}/.exec(line.slice(77))?.[0] ?? '';
  const element = type === '' ? null : elementOf(type);
  const [x, y, z] = [line.slice(30, 38), line.slice(38, 46), line.slice(46, 54)].map(toCoordinate);
  if (element === null || x === undefined || y === undefined || z === undefined) return null;
  if (Number.isNaN(x + y + z)) return null;
  return {
    name: line.slice(12, 16).trim(),
    element,
    residueName: line.slice(17, 20).trim(),
    chain: line.slice(21, 22).trim(),
    residueNumber: line.slice(22, 27).trim(),
    x,
    y,
    z,
  };
};

const toCoordinate = (text: string): number => (text.trim() === '' ? Number.NaN : Number(text));

/** Columns 1–66 are the same in both formats. */
const toPdbLine = (line: string, element: string): string =>
  line.slice(0, 66).padEnd(76) + element.toUpperCase().padStart(2);

const NUMBER = String.raw`(-?\d+(?:\.\d+)?)`;
const RESULT = new RegExp(String.raw`^REMARK VINA RESULT:\s*${NUMBER}\s+${NUMBER}\s+${NUMBER}`);

const toResult = (line: string): Model['result'] => {
  const found = RESULT.exec(line);
  if (found === null) return null;
  return {
    affinity: Number(found[1]),
    rmsdLowerBound: Number(found[2]),
    rmsdUpperBound: Number(found[3]),
  };
};
