/** What a PDBQT file is for: a molecule that is docked, what it is docked into, moving parts of that, or docked poses. */
export type PdbqtKind = 'ligand' | 'receptor' | 'flexible_residues' | 'poses';

export interface Finding {
  /** An error is what AutoDock Vina refuses, or crashes at. */
  readonly severity: 'error' | 'warning';
  /** From 1; null when it concerns no single line. */
  readonly line: number | null;
  readonly message: string;
}

export type Point = readonly [number, number, number];

/** What is known of a PDBQT file without reading it again. */
export interface PdbqtInspection {
  readonly kind: PdbqtKind;
  readonly findings: readonly Finding[];
  /** The smallest box around its atoms, in Å; null without atoms. */
  readonly extent: { readonly min: Point; readonly max: Point } | null;
}

/** Whether a file calls itself PDBQT. What does not is kept without a look. */
export const callsItselfPdbqt = (name: string | null, mediaType: string): boolean =>
  /\.pdbqt$/i.test(name ?? '') || /^chemical\/(?:x-)?pdbqt\b/i.test(mediaType);

/** Beyond these, a reader learns nothing new. */
const MAX_FINDINGS = 20;
/** No line of a molecule is longer. The rest of a longer one is not looked at. */
const MAX_LINE_LENGTH = 512;
/** Shorter, and Vina 1.2.3 ends with "internal error … parse_pdbqt.cpp(69)". */
const MIN_ATOM_LENGTH = 78;
const MAX_TORSIONS = 50;

/** Of AutoDock Vina 1.2.3. */
const ATOM_TYPES: ReadonlySet<string> = new Set(
  (
    'C A N O P S H F I NA OA SA HD Mg Mn Zn Ca Fe Cl Br Si At G0 G1 G2 G3 CG0 CG1 CG2 CG3 W ' +
    'Cu Na K Hg Co U Cd Ni'
  ).split(' '),
);
const GLUE_TYPE = /^C?G[0-3]$/;
/** All that a ligand may hold: Vina 1.2.3 refuses one with any other line. Of a receptor it ignores them. */
const LIGAND_LINE = /^(?:$|REMARK|WARNING|ATOM|HETATM|ROOT|ENDROOT|BRANCH|ENDBRANCH|TORSDOF)/;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)$/;
const AXES = ['x', 'y', 'z'] as const;

/**
 * Reads a PDBQT file piece by piece, and says what Vina 1.2.3 would make of it (`parse_pdbqt.cpp`). It keeps no more than one
 * line, whatever comes. Decision 0046.
 */
export class PdbqtReader {
  readonly #findings: Finding[] = [];
  readonly #lines = new Map<string, number[]>();
  readonly #openBranches: string[] = [];
  #rest = '';
  #line = 0;
  #atoms = 0;
  #branches = 0;
  #hasCarriageReturns = false;
  #hasPolarHydrogen = false;
  #glueLine: number | null = null;
  #strangeLine: { readonly line: number; readonly text: string } | null = null;
  #min: [number, number, number] = [Infinity, Infinity, Infinity];
  #max: [number, number, number] = [-Infinity, -Infinity, -Infinity];

  /** @param text the next characters, as Latin-1 */
  push(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = (lines.pop() ?? '').slice(0, MAX_LINE_LENGTH);
    for (const line of lines) this.#read(line);
  }

  /** Call it once, after the last piece. */
  finish(): PdbqtInspection {
    if (this.#rest !== '') this.#read(this.#rest);
    const kind = this.#kind();
    // Poses and residues are results of other programs; what Vina takes as input is looked at.
    if (kind === 'ligand') this.#judgeLigand();
    if (kind === 'receptor' && this.#atoms === 0) this.#add('error', null, 'has no ATOM or HETATM line');
    if (kind === 'ligand' || kind === 'receptor') this.#judgeMolecule();
    const findings = kind === 'ligand' || kind === 'receptor' ? this.#findings : [];
    return {
      kind,
      findings: findings.toSorted(bySeverity).slice(0, MAX_FINDINGS),
      extent: this.#max[0] < this.#min[0] ? null : { min: this.#min, max: this.#max },
    };
  }

  #kind(): PdbqtKind {
    if (this.#lines.has('MODEL')) return 'poses';
    if (this.#lines.has('BEGIN_RES')) return 'flexible_residues';
    return ['ROOT', 'ENDROOT', 'BRANCH', 'ENDBRANCH', 'TORSDOF'].some((tag) => this.#lines.has(tag))
      ? 'ligand'
      : 'receptor';
  }

  #read(raw: string): void {
    this.#line += 1;
    const isEndedByReturn = raw.endsWith('\r');
    this.#hasCarriageReturns ||= isEndedByReturn;
    const line = isEndedByReturn ? raw.slice(0, -1) : raw;
    if (line.startsWith('ATOM') || line.startsWith('HETATM')) {
      this.#readAtom(line);
      return;
    }
    if (!LIGAND_LINE.test(line))
      this.#strangeLine ??= { line: this.#line, text: line.slice(0, MAX_LINE_LENGTH) };
    const [tag = '', ...numbers] = line.trim().split(/\s+/, 3);
    if (!TAGS.has(tag)) return;
    const seen = this.#lines.get(tag) ?? [];
    // The first two of each tell all.
    if (seen.length < 2) this.#lines.set(tag, [...seen, this.#line]);
    if (tag === 'BRANCH') {
      this.#branches += 1;
      if (this.#openBranches.length < MAX_LINE_LENGTH) this.#openBranches.push(numbers.join(' '));
    }
    if (tag === 'ENDBRANCH' && this.#openBranches.pop() !== numbers.join(' '))
      this.#add('error', this.#line, 'ENDBRANCH does not close the BRANCH before it');
  }

  #readAtom(line: string): void {
    this.#atoms += 1;
    if (line.length < MIN_ATOM_LENGTH) {
      this.#add(
        'error',
        this.#line,
        `an atom's line has ${line.length} characters; Vina needs ${MIN_ATOM_LENGTH}`,
      );
      return;
    }
    for (const [index, axis] of AXES.entries()) {
      const start = 30 + index * 8;
      const text = line.slice(start, start + 8).trim();
      if (!NUMBER.test(text)) {
        this.#add('error', this.#line, `columns ${start + 1} to ${start + 8} hold no number (${axis})`);
        continue;
      }
      const value = Number(text);
      // The three indexes of a point.
      this.#min[index as 0 | 1 | 2] = Math.min(this.#min[index] ?? Infinity, value);
      this.#max[index as 0 | 1 | 2] = Math.max(this.#max[index] ?? -Infinity, value);
    }
    const type = line.slice(77).trim().split(/\s/, 1)[0] ?? '';
    if (!ATOM_TYPES.has(type))
      this.#add('error', this.#line, `the atom type "${shown(type)}" is none of Vina's`);
    this.#hasPolarHydrogen ||= type === 'HD';
    if (GLUE_TYPE.test(type)) this.#glueLine ??= this.#line;
  }

  #judgeLigand(): void {
    for (const tag of ['ROOT', 'ENDROOT', 'TORSDOF']) {
      const [first, second] = this.#lines.get(tag) ?? [];
      if (first === undefined) this.#add('error', null, `has no ${tag}`);
      if (second !== undefined) this.#add('error', second, `has a second ${tag}: it must hold one molecule`);
    }
    if (this.#strangeLine !== null) {
      const { line, text } = this.#strangeLine;
      this.#add('error', line, `"${shown(text)}" is no line that Vina takes in a ligand`);
    }
    const [open] = this.#openBranches;
    if (open !== undefined) this.#add('error', null, `BRANCH ${shown(open)} has no ENDBRANCH`);
    if (this.#atoms === 0) this.#add('error', null, 'has no ATOM or HETATM line');
    if (this.#branches > MAX_TORSIONS)
      this.#add(
        'warning',
        null,
        `has ${this.#branches} torsions: more than ${MAX_TORSIONS} are searched poorly`,
      );
    if (this.#atoms > 3 && AXES.some((_, index) => this.#min[index] === this.#max[index]))
      this.#add('warning', null, 'is flat: it looks like a drawing, not like a molecule in space');
    if (this.#glueLine !== null)
      this.#add('warning', this.#glueLine, 'has macrocycle glue atoms, which Vina 1.2.3 scores wrongly');
  }

  #judgeMolecule(): void {
    if (this.#atoms > 0 && !this.#hasPolarHydrogen)
      this.#add('warning', null, 'has no polar hydrogen (HD): it may lack its hydrogens');
    if (this.#hasCarriageReturns)
      this.#add(
        'warning',
        null,
        'has lines that end with CR LF, as on Windows; workers dock a copy without CR',
      );
  }

  #add(severity: Finding['severity'], line: number | null, message: string): void {
    // Warnings come last, and are few.
    if (severity === 'warning' || this.#findings.length < MAX_FINDINGS)
      this.#findings.push({ severity, line, message });
  }
}

const TAGS: ReadonlySet<string> = new Set([
  'ROOT',
  'ENDROOT',
  'BRANCH',
  'ENDBRANCH',
  'TORSDOF',
  'MODEL',
  'BEGIN_RES',
]);

const bySeverity = (one: Finding, other: Finding): number =>
  Number(one.severity === 'warning') - Number(other.severity === 'warning');

/** Bytes of a file within a message: short, and in ASCII that shows. */
const shown = (text: string): string => text.slice(0, 20).replaceAll(/[^\x20-\x7e]/g, '?');
