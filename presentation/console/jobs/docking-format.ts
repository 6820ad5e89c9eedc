const MINUS = '−';

/** In kcal/mol, with two digits and a real minus sign, so that columns of them align. */
export const formatAffinity = (affinity: number): string => affinity.toFixed(2).replace('-', MINUS);

export const formatDistance = (angstrom: number): string => `${angstrom.toFixed(1)} Å`;

/** "41 s", "4 min 10 s", "2 h 5 min", "3 d 4 h": two units at most. */
export const formatSeconds = (seconds: number): string => {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return joined(Math.floor(whole / 60), 'min', whole % 60, 's');
  const minutes = Math.floor(whole / 60);
  if (minutes < 24 * 60) return joined(Math.floor(minutes / 60), 'h', minutes % 60, 'min');
  const hours = Math.floor(minutes / 60);
  return joined(Math.floor(hours / 24), 'd', hours % 24, 'h');
};

const joined = (large: number, largeUnit: string, small: number, smallUnit: string): string =>
  small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
