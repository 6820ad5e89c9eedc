import { lazy, Suspense, useMemo, useRef, type ReactNode } from 'react';
import { formatAffinity } from '../jobs/docking-format.ts';
import { oneOf, type RawSearch } from '../shell/search.ts';
import { Loaded, Loading } from '../ui/loading.tsx';
import { SaveButton } from '../ui/save-button.tsx';
import { save, saveText } from '../ui/save.ts';
import './pose.css';
import { toPdb, type Model } from './pdbqt-to-pdb.ts';
import type { CanvasHandle } from './pose-canvas.tsx';
import { usePoseSources, type PoseSources } from './pose-files.ts';
import { LAYERS, type Layer } from './pose-layers.ts';
import { ContactList, PoseTable } from './pose-tables.tsx';

const Canvas = lazy(async () => ({ default: (await import('./pose-canvas.tsx')).PoseCanvas }));

/** Which pose is shown, and how. It stands in the address. */
export interface PoseSearch {
  /** From 1. */
  readonly pose: string | undefined;
  /** Layers, joined by commas. */
  readonly show: string | undefined;
}

const DEFAULT_LAYERS: readonly Layer[] = ['residues', 'distances'];
const LAYER_NAMES: Readonly<Record<Layer, string>> = {
  residues: 'Residues nearby',
  distances: 'Polar contacts',
  all: 'All poses',
  surface: 'Surface',
  box: 'Search box',
};

const layersIn = (show: string | undefined): ReadonlySet<Layer> => {
  if (show === undefined) return new Set(DEFAULT_LAYERS);
  const named: RawSearch = Object.fromEntries(show.split(',').map((name) => [name, name]));
  return new Set(LAYERS.filter((layer) => oneOf(named, layer, LAYERS) !== undefined));
};

interface PanelProps {
  readonly jobId: string;
  readonly search: PoseSearch;
  readonly onChange: (change: Partial<PoseSearch>) => void;
}

/** The poses of a job in the receptor, and what can be said of them in numbers. */
export const PosePanel = (props: PanelProps): ReactNode => (
  <Loaded query={usePoseSources(props.jobId)}>
    {(sources) => <LoadedPanel key={props.jobId} {...props} sources={sources} />}
  </Loaded>
);

const LoadedPanel = ({
  sources,
  search,
  onChange,
}: PanelProps & { readonly sources: PoseSources }): ReactNode => {
  const { files, job, original, reportedAffinity, missing } = sources;
  const canvas = useRef<CanvasHandle>(null);
  const wanted = Number(search.pose ?? 1) - 1;
  const index = files.poses[wanted] === undefined ? 0 : wanted;
  const layers = useMemo(() => layersIn(search.show), [search.show]);
  const view = useMemo(() => ({ pose: index, layers }), [index, layers]);
  const pose = files.poses[index];
  if (pose === undefined) return <p className="empty">No pose to show: {missing}.</p>;
  const name = `${job.label ?? job.job_id}-pose-${index + 1}`;
  const summary = describe(pose, index, files.poses.length);
  const toggle = (layer: Layer): void => {
    const next = LAYERS.filter((each) => (each === layer ? !layers.has(each) : layers.has(each)));
    onChange({ show: next.length === 0 ? 'none' : next.join(',') });
  };
  return (
    <div className="stack">
      <div className="row spread">
        <strong aria-live="polite">{summary}</strong>
        <PoseSteps index={index} count={files.poses.length} onChange={(next) => onChange({ pose: next })} />
      </div>
      {hasWebGl() ? (
        <Suspense fallback={<Loading hint="The viewer is read once, and then kept." />}>
          <Canvas ref={canvas} files={files} view={view} label={`${job.label ?? 'The ligand'}: ${summary}`} />
        </Suspense>
      ) : (
        <NoWebGl />
      )}
      <p className="faint legend">
        Drag to turn, scroll to zoom. The ligand is green; dashes join nitrogen and oxygen up to 3.5 Å apart.
      </p>
      <fieldset className="row layers">
        <legend className="hidden">What is drawn</legend>
        {LAYERS.filter((layer) => layer !== 'box' || files.box !== null).map((layer) => (
          <label key={layer} className="check">
            <input type="checkbox" checked={layers.has(layer)} onChange={() => toggle(layer)} />
            {LAYER_NAMES[layer]}
          </label>
        ))}
      </fieldset>
      <div className="row">
        <button onClick={() => canvas.current?.center()}>Centre on the pose</button>
        <button onClick={() => savePng(canvas.current, `${name}.png`)}>Image (PNG)</button>
        <button onClick={() => saveText(toPdb([pose]), `${name}.pdb`)}>This pose (PDB)</button>
        {original !== null && (
          <SaveButton path={original.path} name={original.name}>
            All poses as docked (PDBQT)
          </SaveButton>
        )}
      </div>
      <PoseTable
        poses={files.poses}
        chosen={index}
        onChoose={(next) => onChange({ pose: String(next + 1) })}
      />
      {reportedAffinity !== null && (
        <p className="faint">
          The worker corrected these affinities, as rankings show them: of the best pose the engine wrote{' '}
          {formatAffinity(reportedAffinity)} kcal/mol, which stands in the file as docked.
        </p>
      )}
      {files.receptor === null ? (
        <p className="faint">The receptor of this job is not a file of the service: no contacts are known.</p>
      ) : (
        <ContactList receptor={files.receptor} pose={pose} />
      )}
    </div>
  );
};

const describe = ({ result }: Model, index: number, count: number): string => {
  const place = `Pose ${index + 1} of ${count}`;
  return result === null ? place : `${place} · ${formatAffinity(result.affinity)} kcal/mol`;
};

interface StepsProps {
  readonly index: number;
  readonly count: number;
  readonly onChange: (pose: string) => void;
}

const PoseSteps = ({ index, count, onChange }: StepsProps): ReactNode => (
  <span className="row">
    <button disabled={index === 0} aria-label="Pose before" onClick={() => onChange(String(index))}>
      ◀
    </button>
    <button disabled={index === count - 1} aria-label="Next pose" onClick={() => onChange(String(index + 2))}>
      ▶
    </button>
  </span>
);

/** Asked before the viewer is loaded: it would be loaded for nothing. */
const hasWebGl = (): boolean => document.createElement('canvas').getContext('webgl2') !== null;

const NoWebGl = (): ReactNode => (
  <p className="notice">
    This browser draws no three-dimensional pictures: it has no WebGL 2. The numbers below are complete. The
    files can be opened in PyMOL, ChimeraX or any other viewer.
  </p>
);

const savePng = (canvas: CanvasHandle | null, name: string): void => {
  const image = canvas?.toPng() ?? null;
  if (image === null) return;
  // Not by `fetch`: the policy of the page lets it reach the service alone.
  const bytes = Uint8Array.from(atob(image.slice(image.indexOf(',') + 1)), (char) => char.charCodeAt(0));
  save(new Blob([bytes], { type: 'image/png' }), name);
};
