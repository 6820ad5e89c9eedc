import type { ServerStatus } from './server.ts';

/** Bounds for the number of spares, as the operator configured them. */
export interface SpareDemand {
  /** Spares that are kept even when no organization comes. */
  readonly min: number;
  /** Spares that are never exceeded, however many organizations come. */
  readonly max: number;
}

/** How far back newcomers count when spares are built: a burst of organizations is followed by as many spares. */
export const DEMAND_WINDOW_MS = 5 * 60_000;

/**
 * How far back newcomers count when spares are dropped. It is longer than `DEMAND_WINDOW_MS`: a quiet quarter of an hour
 * between two bursts does not drop the spares that the second one needs.
 */
export const SURPLUS_WINDOW_MS = 60 * 60_000;

/** Spares are kept where new organizations go. */
export const demandOn = (demand: SpareDemand, status: ServerStatus): SpareDemand =>
  status === 'active' ? demand : { min: 0, max: 0 };

/** @param newcomers organizations whose database was first asked for within the window that counts */
export const wantedSpares = ({ min, max }: SpareDemand, newcomers: number): number =>
  Math.min(max, Math.max(min, newcomers));

/** Whether another spare is to be built. `newcomers` are those of the last `DEMAND_WINDOW_MS`. */
export const isSpareWanted = (
  demand: SpareDemand,
  { ready, newcomers }: { readonly ready: number; readonly newcomers: number },
): boolean => ready < wantedSpares(demand, newcomers);
