import type { ReactNode } from 'react';

interface MeterProps {
  readonly value: number;
  readonly max: number;
  readonly label: string;
  /** From this share on it is too much. */
  readonly high?: number;
}

/** A share as a bar, with its numbers beside it. */
export const Meter = ({ value, max, label, high = 0.9 }: MeterProps): ReactNode => (
  <span className="meter">
    <meter min={0} max={Math.max(max, 1)} high={max * high} value={Math.min(value, max)} aria-label={label} />
    <span>
      {value}/{max}
    </span>
  </span>
);
