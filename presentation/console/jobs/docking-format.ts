const MINUS = '−';

/** In kcal/mol, with two digits and a real minus sign, so that columns of them align. */
export const formatAffinity = (affinity: number): string => affinity.toFixed(2).replace('-', MINUS);

export const formatDistance = (angstrom: number): string => `${angstrom.toFixed(1)} Å`;
