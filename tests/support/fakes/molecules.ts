/** A line of PDBQT with an atom. */
export const atom = (serial: number, [x, y, z]: readonly [number, number, number], type = 'C'): string =>
  `ATOM  ${String(serial).padStart(5)}  C   UNL     1    ${[x, y, z]
    .map((value) => value.toFixed(3).padStart(8))
    .join('')}  1.00  0.00     0.000 ${type.padEnd(2)}`;

/** A ligand that AutoDock Vina takes. */
export const LIGAND = [
  'REMARK  a small ligand',
  'ROOT',
  atom(1, [1, 2, 3]),
  atom(2, [2, 2.5, 3.5], 'OA'),
  'ENDROOT',
  'BRANCH   2   3',
  atom(3, [3, 3, 4.1], 'N'),
  atom(4, [3.5, 3.5, 5], 'HD'),
  'ENDBRANCH   2   3',
  'TORSDOF 1',
  '',
].join('\n');

/** A receptor that it takes. */
export const RECEPTOR = [
  atom(1, [0, 0, 0]),
  atom(2, [5, 5, 6], 'HD'),
  atom(3, [10, 9, 8], 'OA'),
  'TER',
  '',
].join('\n');
