const SECRET_FIELDS: ReadonlySet<string> = new Set([
  'authorization',
  'cookie',
  'password',
  'secret',
  'token',
  'access_token',
  'refresh_token',
]);

const MASK = '***';
const MAX_DEPTH = 3;

type Fields = Record<string, unknown>;

/**
 * Masks fields by their names, down to the third level. Returns the same object when there is nothing to mask: that is
 * nearly every line, and pino's own redaction costs more than the rest of a line of access log together.
 */
export const maskFields = (fields: Fields, depth = MAX_DEPTH): Fields => {
  let masked: Fields | undefined;
  for (const [key, value] of Object.entries(fields)) {
    const shown = SECRET_FIELDS.has(key)
      ? MASK
      : depth > 1 && isContainer(value)
        ? maskFields(value, depth - 1)
        : value;
    if (shown !== value) (masked ??= { ...fields })[key] = shown;
  }
  return masked ?? fields;
};

/** Objects that JSON writes field by field. A masked array is written as an object with its indices. */
const isContainer = (value: unknown): value is Fields => {
  if (typeof value !== 'object' || value === null) return false;
  return Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
};
