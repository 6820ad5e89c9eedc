/** What is drawn beside the receptor and the chosen pose. */
export const LAYERS = ['residues', 'distances', 'all', 'surface', 'box'] as const;
export type Layer = (typeof LAYERS)[number];

export interface PoseView {
  /** From 0. */
  readonly pose: number;
  readonly layers: ReadonlySet<Layer>;
}
