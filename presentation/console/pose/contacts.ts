import type { Atom } from './pdbqt-to-pdb.ts';

/** A residue of the receptor beside a ligand. */
export interface Contact {
  readonly residueName: string;
  readonly chain: string;
  readonly residueNumber: string;
  /** Between the closest two atoms that are not hydrogens, in ångström. */
  readonly distance: number;
}

/** Residues with an atom at most `within` ångström from one of the ligand's, closest first. Hydrogens do not count. */
export const contactsOf = (
  receptor: readonly Atom[],
  ligand: readonly Atom[],
  within: number,
): readonly Contact[] => {
  const atoms = ligand.filter(isHeavy);
  const [low, high] = boundsOf(atoms, within);
  const closest = new Map<string, Contact>();
  for (const atom of receptor) {
    if (!isHeavy(atom) || AXES.some((axis) => atom[axis] < low[axis] || atom[axis] > high[axis])) continue;
    const distance = Math.sqrt(Math.min(...atoms.map((other) => squaredDistance(atom, other))));
    if (distance > within) continue;
    const { residueName, chain, residueNumber } = atom;
    const key = `${chain}:${residueNumber}`;
    if (distance < (closest.get(key)?.distance ?? Infinity)) {
      closest.set(key, { residueName, chain, residueNumber, distance });
    }
  }
  return [...closest.values()].toSorted((one, other) => one.distance - other.distance);
};

/** Two atoms that may hold each other by a hydrogen bond. */
export interface PolarPair {
  readonly receptor: Atom;
  readonly ligand: Atom;
  readonly distance: number;
}

/** Pairs of nitrogen and oxygen at most `within` ångström apart: where hydrogen bonds may be, whatever the angles. */
export const polarPairs = (
  receptor: readonly Atom[],
  ligand: readonly Atom[],
  within = 3.5,
): readonly PolarPair[] => {
  const atoms = ligand.filter(isPolar);
  return receptor
    .filter(isPolar)
    .flatMap((atom) =>
      atoms.map((other) => ({
        receptor: atom,
        ligand: other,
        distance: Math.sqrt(squaredDistance(atom, other)),
      })),
    )
    .filter(({ distance }) => distance <= within)
    .toSorted((one, other) => one.distance - other.distance);
};

/** As chemists write it: "MET 318 A". */
export const residueLabel = ({ residueName, residueNumber, chain }: Omit<Contact, 'distance'>): string =>
  [residueName, residueNumber, chain].filter((part) => part !== '').join(' ');

const AXES = ['x', 'y', 'z'] as const;
type Point = Pick<Atom, (typeof AXES)[number]>;

const isHeavy = ({ element }: Atom): boolean => element !== 'H';

const isPolar = ({ element }: Atom): boolean => element === 'N' || element === 'O';

const squaredDistance = (one: Point, other: Point): number =>
  (one.x - other.x) ** 2 + (one.y - other.y) ** 2 + (one.z - other.z) ** 2;

/** The corners of the smallest box around these points, `margin` away from them. */
export const boundsOf = (points: readonly Point[], margin = 0): readonly [Point, Point] => {
  const low = { x: Infinity, y: Infinity, z: Infinity };
  const high = { x: -Infinity, y: -Infinity, z: -Infinity };
  for (const point of points) {
    for (const axis of AXES) {
      low[axis] = Math.min(low[axis], point[axis] - margin);
      high[axis] = Math.max(high[axis], point[axis] + margin);
    }
  }
  return [low, high];
};
