const NUMBERS = new Intl.NumberFormat('en');
const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

export const number = (value: number): string => NUMBERS.format(value);

/** Powers of 1,000, three digits. */
export const bytes = (value: number): string => {
  const power = Math.min(UNITS.length - 1, value < 1000 ? 0 : Math.floor(Math.log10(value) / 3));
  const scaled = value / 1000 ** power;
  return `${power === 0 || scaled >= 100 ? Math.round(scaled) : scaled.toFixed(1)} ${UNITS[power] ?? 'B'}`;
};

export const percent = (share: number): string => `${Math.round(share * 100)} %`;

/** One or two units: `4 min 10 s`, `3 d 2 h`, `40 ms`. */
export const duration = (ms: number): string => {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const parts = [
    [Math.floor(whole / 86_400), 'd'],
    [Math.floor(whole / 3600) % 24, 'h'],
    [Math.floor(whole / 60) % 60, 'min'],
    [whole % 60, 's'],
  ] as const;
  const first = parts.findIndex(([value]) => value > 0);
  return parts
    .slice(first, first + 2)
    .filter(([value]) => value > 0)
    .map(([value, unit]) => `${value} ${unit}`)
    .join(' ');
};

/** `just now`, `4 min ago`, `now`, `in 2 h`. */
export const age = (atMs: number, nowMs: number): string => {
  const difference = nowMs - atMs;
  const size = Math.abs(difference);
  if (size < 5_000) return difference >= 0 ? 'just now' : 'now';
  const [value, unit] = duration(Math.max(10_000, size)).split(' ');
  const text = size < 10_000 ? `${Math.floor(size / 1000)} s` : `${value} ${unit}`;
  return difference >= 0 ? `${text} ago` : `in ${text}`;
};

export type Zone = 'utc' | 'local';

/** `2026-11-26 06:30:12Z`, or with the offset of this machine. */
export const moment = (atMs: number, zone: Zone): string => {
  const date = new Date(atMs);
  if (zone === 'utc') return `${date.toISOString().slice(0, 19).replace('T', ' ')}Z`;
  const offset = -date.getTimezoneOffset();
  const shifted = new Date(atMs + offset * 60_000).toISOString().slice(0, 19).replace('T', ' ');
  const [sign, size] = [offset < 0 ? '-' : '+', Math.abs(offset)];
  return `${shifted}${sign}${two(Math.floor(size / 60))}:${two(size % 60)}`;
};

const two = (value: number): string => String(value).padStart(2, '0');

/** `organization.created` → `organization created` */
export const words = (code: string): string => code.replaceAll(/[._-]/g, ' ');
