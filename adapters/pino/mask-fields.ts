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
 * Masks secret fields by name, on the first three levels. Returns the same object when nothing is masked, which is the
 * usual case. pino's own redaction would cost more than the rest of an access-log line.
 */
export const maskFields = (fields: Fields, depth = MAX_DEPTH): Fields => {
  let masked: Fields | undefined;
  for (const key of Object.keys(fields)) {
    const value = fields[key];
    const shown = SECRET_FIELDS.has(key)
      ? MASK
      : depth > 1 && isContainer(value)
        ? maskFields(value, depth - 1)
        : value;
    if (shown !== value) (masked ??= { ...fields })[key] = shown;
  }
  return masked ?? fields;
};

/** Plain objects and arrays. An array with a masked element is logged as an object with its indices as keys. */
const isContainer = (value: unknown): value is Fields => {
  if (typeof value !== 'object' || value === null) return false;
  return Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
};
