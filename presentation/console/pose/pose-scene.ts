import { createViewer, type GLModel, type GLViewer } from '3dmol/build/3Dmol.es6-min.js';
import type { Box } from './box.ts';
import { contactsOf, polarPairs, residueLabel } from './contacts.ts';
import type { Model } from './pdbqt-to-pdb.ts';
import type { Layer, PoseView } from './pose-layers.ts';

export interface PoseFiles {
  readonly receptor: Model | null;
  readonly poses: readonly Model[];
  readonly box: Box | null;
}

/** Ångström: residues so near a pose are drawn. */
const NEAR = 5;

const LIGAND_COLOR = 'greenCarbon';
const OTHER_POSES = '#9aa3b2';

/** The drawing of a docking in a WebGL canvas. What it is given is never PDBQT. */
export class PoseScene {
  readonly #viewer: GLViewer;
  readonly #files: PoseFiles;
  readonly #poses: readonly GLModel[];
  /** The residues near the chosen pose, apart from the receptor: its cartoon is costly, and is made once. */
  #residues: GLModel | null = null;
  #zoomed = false;
  /** Counts the drawings: a surface that comes too late belongs to an earlier one. */
  #drawing = 0;

  /** @throws {Error} without WebGL */
  constructor(place: HTMLElement, files: PoseFiles) {
    const viewer = createViewer(place, { backgroundColor: backgroundOf(place), antialias: true });
    // Null without WebGL, whatever its type says.
    if ((viewer as GLViewer | null) === null) throw new Error('this browser has no WebGL');
    this.#viewer = viewer;
    this.#files = files;
    if (files.receptor !== null)
      viewer
        .addModel(files.receptor.pdb, 'pdb')
        .setStyle({}, { cartoon: { color: '#b4bfd0', opacity: 0.6, thickness: 0.3 } });
    this.#poses = files.poses.map(({ pdb }) => viewer.addModel(pdb, 'pdb', { keepH: true }));
  }

  show({ pose, layers }: PoseView): void {
    const viewer = this.#viewer;
    this.#drawing += 1;
    viewer.removeAllShapes();
    viewer.removeAllLabels();
    viewer.removeAllSurfaces();
    this.#styleModels(pose, layers);
    if (layers.has('distances')) this.#drawDistances(pose);
    if (layers.has('residues')) this.#labelResidues(pose);
    if (layers.has('box')) this.#drawBox();
    if (!this.#zoomed) this.center(pose);
    viewer.render();
    if (layers.has('surface')) void this.#drawSurface(this.#drawing);
  }

  /** Turns to the pose. */
  center(pose: number): void {
    const shown = this.#poses[pose];
    if (shown === undefined) this.#viewer.zoomTo();
    else {
      this.#viewer.zoomTo({ model: shown });
      this.#viewer.zoom(0.9);
      // What stands before the pose is cut away.
      this.#viewer.setSlab(-11, 35);
    }
    this.#zoomed = true;
  }

  setBackground(place: HTMLElement): void {
    this.#viewer.setBackgroundColor(backgroundOf(place), 1);
    this.#viewer.render();
  }

  resize(): void {
    this.#viewer.resize();
  }

  /** An image as a `data:` address. */
  toPng(): string {
    return this.#viewer.pngURI();
  }

  dispose(): void {
    this.#drawing += 1;
    this.#viewer.clear();
    this.#viewer.getCanvas().remove();
  }

  #styleModels(pose: number, layers: ReadonlySet<Layer>): void {
    if (this.#residues !== null) this.#viewer.removeModel(this.#residues);
    this.#residues = this.#addResidues(pose);
    this.#residues?.setStyle(
      {},
      layers.has('residues') ? { stick: { radius: 0.09, colorscheme: 'default' } } : {},
    );
    for (const [index, model] of this.#poses.entries()) {
      if (index === pose) model.setStyle({}, { stick: { radius: 0.22, colorscheme: LIGAND_COLOR } });
      else if (layers.has('all')) model.setStyle({}, { stick: { radius: 0.06, color: OTHER_POSES } });
      else model.setStyle({}, {});
    }
  }

  #addResidues(pose: number): GLModel | null {
    const { receptor, poses } = this.#files;
    if (receptor === null) return null;
    const near = new Set(contactsOf(receptor.atoms, poses[pose]?.atoms ?? [], NEAR).map(residueLabel));
    if (near.size === 0) return null;
    // A line for each atom, in the same order.
    const lines = receptor.pdb.split('\n').filter((_, index) => {
      const atom = receptor.atoms[index];
      return atom !== undefined && near.has(residueLabel(atom));
    });
    return this.#viewer.addModel(lines.join('\n'), 'pdb');
  }

  #drawDistances(pose: number): void {
    const { receptor, poses } = this.#files;
    for (const pair of polarPairs(receptor?.atoms ?? [], poses[pose]?.atoms ?? [])) {
      const [start, end] = [pair.receptor, pair.ligand];
      this.#viewer.addCylinder({
        start: { x: start.x, y: start.y, z: start.z },
        end: { x: end.x, y: end.y, z: end.z },
        dashed: true,
        radius: 0.05,
        color: '#d97706',
      });
      this.#label(`${pair.distance.toFixed(1)} Å`, middleOf(start, end));
    }
  }

  #labelResidues(pose: number): void {
    const { receptor, poses } = this.#files;
    const atoms = receptor?.atoms ?? [];
    // Of those that hold the ligand alone: more labels hide it.
    const holding = polarPairs(atoms, poses[pose]?.atoms ?? []).map((pair) => residueLabel(pair.receptor));
    for (const label of new Set(holding)) {
      const anchor = atoms.find((atom) => atom.name === 'CA' && residueLabel(atom) === label);
      if (anchor !== undefined) this.#label(label, anchor);
    }
  }

  #label(text: string, { x, y, z }: Place): void {
    this.#viewer.addLabel(text, {
      position: { x, y, z },
      fontSize: 12,
      fontColor: 'white',
      backgroundColor: 'black',
      backgroundOpacity: 0.55,
      inFront: true,
    });
  }

  #drawBox(): void {
    const { box } = this.#files;
    if (box === null) return;
    this.#viewer.addBox({
      center: { x: box.center_x, y: box.center_y, z: box.center_z },
      dimensions: { w: box.size_x, h: box.size_y, d: box.size_z },
      wireframe: true,
      color: '#d97706',
    });
  }

  async #drawSurface(drawing: number): Promise<void> {
    if (this.#residues === null) return;
    const near = { model: this.#residues };
    // A promise, whatever its type says.
    await (this.#viewer.addSurface('VDW', { opacity: 0.6, color: 'white' }, near, near) as Promise<number>);
    if (drawing !== this.#drawing) this.#viewer.removeAllSurfaces();
    this.#viewer.render();
  }
}

interface Place {
  readonly x: number;
  readonly y: number;
  readonly z: number;
}

const middleOf = (one: Place, other: Place): Place => ({
  x: (one.x + other.x) / 2,
  y: (one.y + other.y) / 2,
  z: (one.z + other.z) / 2,
});

/** As the page has it in its light or dark dress. */
const backgroundOf = (place: HTMLElement): string => {
  const parts = /rgba?\((\d+),\s*(\d+),\s*(\d+)/.exec(getComputedStyle(place).backgroundColor);
  if (parts === null) return '#ffffff';
  return `#${parts
    .slice(1, 4)
    .map((part) => Number(part).toString(16).padStart(2, '0'))
    .join('')}`;
};
