import { boundsOf } from './contacts.ts';
import type { Atom } from './pdbqt-to-pdb.ts';

/** Where Vina searches: centre and edges, in ångström, by the names that Vina gives them. */
export const BOX_FIELDS = ['center_x', 'center_y', 'center_z', 'size_x', 'size_y', 'size_z'] as const;
export type Box = Readonly<Record<(typeof BOX_FIELDS)[number], number>>;

/** Null unless every field of a box is there as a number. */
export const boxOf = (params: Readonly<Record<string, unknown>>): Box | null => {
  const numbers = BOX_FIELDS.map((field) => params[field]);
  if (!numbers.every((number) => typeof number === 'number' && Number.isFinite(number))) return null;
  return Object.fromEntries(BOX_FIELDS.map((field, index) => [field, numbers[index]])) as Box;
};

/** Reads a configuration of Vina, lines such as `center_x = 15.19`. Null unless it holds a whole box. */
export const readBox = (text: string): Box | null => {
  const entries = text
    .split(/[\r\n]+/)
    .map((line) => /^\s*(\w+)\s*[=:]?\s*(-?[\d.]+)\s*(?:#.*)?$/.exec(line))
    .flatMap((found) => (found === null ? [] : [[found[1] ?? '', Number(found[2])] as const]));
  return boxOf(Object.fromEntries(entries));
};

/** A box around these atoms with `margin` ångström on each side. Null without atoms. */
export const boxAround = (atoms: readonly Atom[], margin = 5): Box | null => {
  if (atoms.length === 0) return null;
  const [low, high] = boundsOf(atoms, margin);
  return {
    center_x: rounded((low.x + high.x) / 2),
    center_y: rounded((low.y + high.y) / 2),
    center_z: rounded((low.z + high.z) / 2),
    size_x: Math.ceil(high.x - low.x),
    size_y: Math.ceil(high.y - low.y),
    size_z: Math.ceil(high.z - low.z),
  };
};

/** Whether an atom is within the box: a search far from the receptor finds nothing. */
export const boxHoldsAny = (box: Box, atoms: readonly Atom[]): boolean =>
  atoms.some(
    ({ x, y, z }) =>
      Math.abs(x - box.center_x) <= box.size_x / 2 &&
      Math.abs(y - box.center_y) <= box.size_y / 2 &&
      Math.abs(z - box.center_z) <= box.size_z / 2,
  );

const rounded = (coordinate: number): number => Math.round(coordinate * 1000) / 1000;
