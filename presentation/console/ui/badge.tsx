import type { ReactNode } from 'react';
import { words } from '../format.ts';

export type Tone = 'good' | 'bad' | 'warn' | 'busy' | 'quiet';

const ICONS: Readonly<Record<Tone, string>> = { good: '✓', bad: '✖', warn: '▲', busy: '◐', quiet: '○' };

/** What the words of the API mean to the eye. A word that is not here is quiet. */
const TONES: Readonly<Record<string, Tone>> = {
  active: 'good',
  ready: 'good',
  done: 'good',
  finished: 'good',
  closed: 'good',
  available: 'good',
  COMPLETED: 'good',
  mended: 'good',
  suspended: 'warn',
  warning: 'warn',
  draining: 'warn',
  halted: 'bad',
  paused: 'warn',
  deferred: 'warn',
  'half-open': 'warn',
  abandoned: 'warn',
  invited: 'quiet',
  failed: 'bad',
  FAILED: 'bad',
  critical: 'bad',
  open: 'bad',
  silent: 'bad',
  unavailable: 'bad',
  missing: 'bad',
  running: 'busy',
  RUNNING: 'busy',
  provisioning: 'busy',
  PENDING: 'quiet',
  pending: 'quiet',
  CANCELLED: 'quiet',
  disabled: 'quiet',
  retired: 'quiet',
  none: 'quiet',
  notice: 'quiet',
};

interface BadgeProps {
  readonly state: string;
  readonly tone?: Tone;
  readonly children?: ReactNode;
}

/** A state by icon, word and colour: colour alone tells some people nothing. */
export const Badge = ({ state, tone = TONES[state] ?? 'quiet', children }: BadgeProps): ReactNode => (
  <span className={`badge ${tone}`}>
    <span aria-hidden="true">{ICONS[tone]}</span> {children ?? words(state).toLowerCase()}
  </span>
);
