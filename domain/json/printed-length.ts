/**
 * How many characters PostgreSQL writes for this number, when it was kept as `numeric` or in `jsonb`. Both write every
 * digit: 309 of them for `1e308`, 326 characters for `5e-324`.
 */
export const printedLength = (value: number): number => {
  const text = String(value);
  const at = text.indexOf('e');
  if (at === -1) return text.length;
  const sign = value < 0 ? 1 : 0;
  const exponent = Number(text.slice(at + 1));
  // JavaScript uses an exponent only where the decimal point is outside of the digits.
  if (exponent > 0) return sign + exponent + 1;
  const digits = text.slice(sign, at).replace('.', '').length;
  return sign + '0.'.length + (-exponent - 1) + digits;
};
