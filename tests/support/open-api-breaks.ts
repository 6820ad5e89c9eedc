type Json = Readonly<Record<string, unknown>>;
type Side = 'request' | 'response';

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const objectOf = (value: unknown): Json => (isObject(value) ? value : {});
const listOf = (value: unknown): readonly unknown[] =>
  Array.isArray(value) ? value : value === undefined ? [] : [value];
const byIndex = (value: unknown): Json => Object.fromEntries(listOf(value).entries());
const keyOf = (parameter: Json): string => `${String(parameter['in'])} ${String(parameter['name'])}`;
const MAX_DEPTH = 40;
/** Limits of values; +1: a lower one refuses what was taken. */
const LIMITS = { maximum: 1, maxLength: 1, maxItems: 1, minimum: -1, minLength: -1, minItems: -1 } as const;

/** Says where a client of the document `before` may fail with a service of the document `after`; empty: nowhere. */
export const openApiBreaks = (before: Json, after: Json): readonly string[] => {
  const breaks: string[] = [];
  const follow = (document: Json, value: unknown): Json => {
    const { $ref } = objectOf(value);
    if (typeof $ref !== 'string') return objectOf(value);
    const parts = $ref.slice(2).split('/');
    return objectOf(parts.reduce<unknown>((part, name) => objectOf(part)[name], document));
  };
  /** Calls `compare` for each key of `old`, and notes those that are gone. */
  const each = (old: Json, next: Json, at: string, compare: (o: Json, n: Json, at: string) => void): void => {
    for (const key of Object.keys(old)) {
      if (!(key in next)) breaks.push(`${at} ${key}: gone`);
      else compare(follow(before, old[key]), follow(after, next[key]), `${at} ${key}`);
    }
  };
  const schema = (side: Side, old: Json, next: Json, at: string): void => {
    // Schemas may hold themselves.
    if (at.split(' ').length > MAX_DEPTH) return;
    const alternatives = listOf(next['anyOf'] ?? next['oneOf']);
    if (alternatives.length > 0 && !('anyOf' in old) && !('oneOf' in old)) {
      // What a client has to ask for by something new comes after what it had.
      schema(side, old, follow(after, alternatives[0]), at);
      return;
    }
    const [wide, narrow] = side === 'request' ? [next, old] : [old, next];
    for (const keyword of side === 'request' ? ['type', 'enum'] : ['type'])
      for (const value of wide[keyword] === undefined ? [] : listOf(narrow[keyword]))
        if (!listOf(wide[keyword]).includes(value)) breaks.push(`${at}: ${keyword} ${String(value)}`);
    for (const name of listOf(wide === next ? next['required'] : old['required']))
      if (!listOf(narrow['required']).includes(name)) breaks.push(`${at} ${String(name)}: required`);
    if (side === 'request')
      for (const [limit, sign] of Object.entries(LIMITS)) {
        const [was, is] = [old[limit], next[limit]];
        if (typeof is === 'number' && (typeof was !== 'number' || (is - was) * sign < 0))
          breaks.push(`${at}: ${limit} ${is}`);
      }
    const deeper = (o: Json, n: Json, where: string): void => schema(side, o, n, where);
    each(objectOf(old['properties']), objectOf(next['properties']), at, deeper);
    for (const key of ['items', 'additionalProperties'])
      if (isObject(old[key]) && isObject(next[key]))
        deeper(follow(before, old[key]), follow(after, next[key]), `${at} ${key}`);
    for (const key of ['anyOf', 'oneOf', 'allOf'])
      each(byIndex(old[key]), byIndex(next[key]), `${at} ${key}`, deeper);
  };
  const content = (side: Side, old: Json, next: Json, at: string): void =>
    each(objectOf(old['content']), objectOf(next['content']), at, (o, n, where) =>
      schema(side, follow(before, o['schema']), follow(after, n['schema']), where),
    );
  const operation = (old: Json, next: Json, at: string): void => {
    const named = (document: Json, { parameters }: Json): Json =>
      Object.fromEntries(listOf(parameters).map((one) => [keyOf(follow(document, one)), one]));
    const [had, has] = [named(before, old), named(after, next)];
    each(had, has, at, (o, n, where) => {
      if (n['required'] === true && o['required'] !== true) breaks.push(`${where}: required`);
      schema('request', follow(before, o['schema']), follow(after, n['schema']), where);
    });
    for (const [key, one] of Object.entries(has))
      if (!(key in had) && follow(after, one)['required'] === true) breaks.push(`${at} ${key}: required`);
    const [body, nextBody] = [follow(before, old['requestBody']), follow(after, next['requestBody'])];
    if (nextBody['required'] === true && body['required'] !== true) breaks.push(`${at} body: required`);
    content('request', body, nextBody, `${at} body`);
    each(objectOf(old['responses']), objectOf(next['responses']), at, (o, n, where) =>
      content('response', o, n, where),
    );
  };
  each(objectOf(before['paths']), objectOf(after['paths']), '', (old, next, path) =>
    each(old, next, path.trim(), operation),
  );
  return breaks;
};
