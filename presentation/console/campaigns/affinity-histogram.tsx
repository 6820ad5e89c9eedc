import { useId, useState, type KeyboardEvent, type PointerEvent, type ReactNode } from 'react';
import { number } from '../format.ts';
import { formatAffinity } from '../jobs/docking-format.ts';
import type { Schemas } from '../api/client.ts';
import { histogramGeometry } from './histogram-geometry.ts';
import './campaigns.css';

const SIZE = { width: 640, height: 90 };
const AXIS = 18;

interface HistogramProps {
  readonly histogram: Schemas['AffinityHistogram'];
  /** The worst affinity that is wanted; undefined for all. */
  readonly max: number | undefined;
  readonly onChange: (max: number | undefined) => void;
}

/** How the campaign's scores are spread. Dragging over it, or the slider below, leaves the best of them. */
export const AffinityHistogram = ({ histogram, max, onChange }: HistogramProps): ReactNode => {
  const [dragged, setDragged] = useState<number>();
  const sliderId = useId();
  const geometry = histogramGeometry(histogram, SIZE);
  const { edges, counts, below, above } = histogram;
  const [first = 0] = edges;
  const last = edges.at(-1) ?? 0;
  if (geometry === null) return null;
  const limit = dragged ?? max;
  const chosen = limit ?? last;
  const settle = (affinity: number): void =>
    onChange(affinity >= last ? undefined : Math.max(affinity, first));
  const edgeAt = (event: PointerEvent<SVGSVGElement>): number => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    return geometry.toEdge(((event.clientX - left) / width) * SIZE.width);
  };
  const step = (last - first) / counts.length;
  const letGo = (event: KeyboardEvent<HTMLInputElement>): void => {
    if (event.key !== 'Tab' && dragged !== undefined) finish();
  };
  const finish = (): void => {
    if (dragged !== undefined) settle(dragged);
    setDragged(undefined);
  };
  const best = counts.reduce(
    (sum, count, index) => ((edges[index] ?? 0) < chosen ? sum + count : sum),
    below,
  );
  return (
    <figure className="histogram">
      <svg
        viewBox={`0 0 ${SIZE.width} ${SIZE.height + AXIS}`}
        role="img"
        aria-label={`Affinities from ${formatAffinity(first)} to ${formatAffinity(last)} kcal/mol`}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          setDragged(edgeAt(event));
        }}
        onPointerMove={(event) => {
          if (dragged !== undefined) setDragged(edgeAt(event));
        }}
        onPointerUp={finish}
      >
        {geometry.bars.map((bar) => (
          <rect
            key={bar.from}
            className={bar.from < chosen ? 'in' : 'out'}
            x={bar.x + 0.5}
            y={bar.y}
            width={Math.max(1, bar.width - 1)}
            height={bar.height}
          >
            <title>{`${formatAffinity(bar.from)} to ${formatAffinity(bar.to)}: ${number(bar.count)} jobs`}</title>
          </rect>
        ))}
        <line className="axis" x1={0} x2={SIZE.width} y1={SIZE.height} y2={SIZE.height} />
        {limit !== undefined && (
          <line className="limit" x1={geometry.toX(limit)} x2={geometry.toX(limit)} y1={0} y2={SIZE.height} />
        )}
        {geometry.ticks.map(({ affinity, x }) => (
          <text key={affinity} x={Math.min(SIZE.width - 10, Math.max(10, x))} y={SIZE.height + 14}>
            {String(affinity).replace('-', '−')}
          </text>
        ))}
      </svg>
      <figcaption className="row spread">
        <label className="inline" htmlFor={sliderId}>
          <span>At most, kcal/mol</span>
          <input
            id={sliderId}
            type="range"
            min={first}
            max={last}
            step={step}
            value={chosen}
            aria-valuetext={limit === undefined ? 'all' : formatAffinity(limit)}
            onChange={({ target }) => setDragged(geometry.toEdge(geometry.toX(Number(target.value))))}
            onPointerUp={finish}
            onKeyUp={letGo}
            onBlur={finish}
          />
          <output htmlFor={sliderId}>{limit === undefined ? 'all' : `≤ ${formatAffinity(limit)}`}</output>
        </label>
        <span className="faint">
          {number(best)} of {number(counts.reduce((sum, count) => sum + count, below + above))} jobs
          {below > 0 && `; ${number(below)} below the bars`}
          {above > 0 && `; ${number(above)} beyond them`}
        </span>
      </figcaption>
    </figure>
  );
};
