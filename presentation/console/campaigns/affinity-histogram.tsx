import { useId, useState, type KeyboardEvent, type PointerEvent, type ReactNode } from 'react';
import { number } from '../format.ts';
import { formatAffinity } from '../jobs/docking-format.ts';
import type { Schemas } from '../api/client.ts';
import { histogramGeometry, jobsWithin, settledRange, type Range } from './histogram-geometry.ts';
import './campaigns.css';

const SIZE = { width: 640, height: 90 };
const AXIS = 18;

interface HistogramProps {
  readonly histogram: Schemas['AffinityHistogram'];
  /** In kcal/mol; undefined where that side is open. */
  readonly min: number | undefined;
  readonly max: number | undefined;
  readonly onChange: (range: Range) => void;
}

/** While somebody drags: from where, and to where. */
interface Drag {
  readonly anchor: number;
  readonly at: number;
}

/** How the campaign's scores are spread. Dragging over it, or the sliders below, leaves those of a range. */
export const AffinityHistogram = ({ histogram, min, max, onChange }: HistogramProps): ReactNode => {
  const [drag, setDrag] = useState<Drag>();
  const geometry = histogramGeometry(histogram, SIZE);
  const { edges, counts, below, above } = histogram;
  const [first = 0] = edges;
  const last = edges.at(-1) ?? 0;
  if (geometry === null) return null;
  const range = drag === undefined ? { min, max } : dragged(drag, histogram);
  const low = range.min ?? first;
  const high = range.max ?? last;
  const edgeAt = (event: PointerEvent<SVGSVGElement>): number => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    return geometry.toEdge(((event.clientX - left) / width) * SIZE.width);
  };
  const finish = (): void => {
    if (drag !== undefined) onChange(range);
    setDrag(undefined);
  };
  const toEdge = (affinity: number): number => geometry.toEdge(geometry.toX(affinity));
  const slider = { first, last, step: (last - first) / counts.length, toEdge };
  return (
    <figure className="histogram">
      <svg
        viewBox={`0 0 ${SIZE.width} ${SIZE.height + AXIS}`}
        role="img"
        aria-label={`Affinities from ${formatAffinity(first)} to ${formatAffinity(last)} kcal/mol`}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          setDrag({ anchor: edgeAt(event), at: edgeAt(event) });
        }}
        onPointerMove={(event) => {
          if (drag !== undefined) setDrag({ ...drag, at: edgeAt(event) });
        }}
        onPointerUp={finish}
        onPointerCancel={() => setDrag(undefined)}
      >
        {geometry.bars.map((bar) => (
          <rect
            key={bar.from}
            className={bar.from >= low && bar.from < high ? 'in' : 'out'}
            x={bar.x + 0.5}
            y={bar.y}
            width={Math.max(1, bar.width - 1)}
            height={bar.height}
          >
            <title>{`${formatAffinity(bar.from)} to ${formatAffinity(bar.to)}: ${number(bar.count)} jobs`}</title>
          </rect>
        ))}
        <line className="axis" x1={0} x2={SIZE.width} y1={SIZE.height} y2={SIZE.height} />
        {[range.min, range.max].map(
          (limit, index) =>
            limit !== undefined && (
              <line
                // The two of them, in this order.
                // oxlint-disable-next-line react/no-array-index-key
                key={index}
                className="limit"
                x1={geometry.toX(limit)}
                x2={geometry.toX(limit)}
                y1={0}
                y2={SIZE.height}
              />
            ),
        )}
        {geometry.ticks.map(({ affinity, x }) => (
          <text key={affinity} x={Math.min(SIZE.width - 10, Math.max(10, x))} y={SIZE.height + 14}>
            {String(affinity).replace('-', '−')}
          </text>
        ))}
      </svg>
      <figcaption className="row spread">
        <span className="row">
          <Limit
            {...slider}
            label="From, kcal/mol"
            sign="≥"
            value={min}
            open={first}
            onChange={(next) => onChange(settledRange({ min: next, max }, histogram))}
          />
          <Limit
            {...slider}
            label="To, kcal/mol"
            sign="≤"
            value={max}
            open={last}
            onChange={(next) => onChange(settledRange({ min, max: next }, histogram))}
          />
          {(min !== undefined || max !== undefined) && (
            <button type="button" onClick={() => onChange({ min: undefined, max: undefined })}>
              All affinities
            </button>
          )}
        </span>
        <span className="faint">
          {number(jobsWithin(range, histogram))} of{' '}
          {number(counts.reduce((sum, count) => sum + count, below + above))} jobs
          {below > 0 && `; ${number(below)} below the bars`}
          {above > 0 && `; ${number(above)} beyond them`}
        </span>
      </figcaption>
    </figure>
  );
};

/** A click alone chooses the best, up to there. */
const dragged = ({ anchor, at }: Drag, bins: Schemas['AffinityHistogram']): Range =>
  settledRange(
    anchor === at ? { min: undefined, max: at } : { min: Math.min(anchor, at), max: Math.max(anchor, at) },
    bins,
  );

interface LimitProps {
  readonly label: string;
  readonly sign: '≥' | '≤';
  readonly first: number;
  readonly last: number;
  readonly step: number;
  readonly value: number | undefined;
  /** Where the slider stands while that side is open. */
  readonly open: number;
  readonly toEdge: (affinity: number) => number;
  readonly onChange: (affinity: number) => void;
}

/** Changes when somebody lets go: each change is a question to the service. */
const Limit = (props: LimitProps): ReactNode => {
  const { label, sign, first, last, step, value, open, toEdge, onChange } = props;
  const [moved, setMoved] = useState<number>();
  const id = useId();
  const finish = (): void => {
    if (moved !== undefined) onChange(moved);
    setMoved(undefined);
  };
  const letGo = (event: KeyboardEvent<HTMLInputElement>): void => {
    if (event.key !== 'Tab') finish();
  };
  const shown = moved ?? value;
  const text = shown === undefined || shown === open ? 'all' : `${sign} ${formatAffinity(shown)}`;
  return (
    <label className="inline" htmlFor={id}>
      <span>{label}</span>
      <input
        id={id}
        type="range"
        min={first}
        max={last}
        step={step}
        value={shown ?? open}
        aria-valuetext={text}
        onChange={({ target }) => setMoved(toEdge(Number(target.value)))}
        onPointerUp={finish}
        onKeyUp={letGo}
        onBlur={finish}
      />
      <output htmlFor={id}>{text}</output>
    </label>
  );
};
