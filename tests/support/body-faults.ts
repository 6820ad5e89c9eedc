/** What the OpenAPI document says of a request body; the part that a fault can be made from. */
export interface BodySchema {
  readonly $ref?: string;
  readonly type?: string;
  readonly properties?: Readonly<Record<string, BodySchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: unknown;
  readonly enum?: readonly unknown[];
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minProperties?: number;
  readonly pattern?: string;
}

/** One bad body, and the field that the refusal has to name. */
export interface Fault {
  readonly what: string;
  readonly path: string;
  readonly body: unknown;
}

/** Every field of a good body made wrong in every way that its schema knows; each fault is the only one of its body. */
export const faultsOf = (schema: BodySchema, good: Readonly<Record<string, unknown>>): readonly Fault[] => {
  const properties = Object.entries(schema.properties ?? {});
  const wrong = (name: string, what: string, value: unknown): Fault => ({
    what: `${name} ${what}`,
    path: name,
    body: { ...good, [name]: value },
  });
  return [
    ...properties.flatMap(([name, property]) =>
      wrongValues(property).map(([what, value]) => wrong(name, what, value)),
    ),
    ...(schema.required ?? []).map((name) => ({
      what: `${name} missing`,
      path: name,
      body: Object.fromEntries(Object.entries(good).filter(([key]) => key !== name)),
    })),
    wrong('surplus_field', 'that nobody knows', 1),
    wrong('__proto__x', 'that nobody knows', {}),
    { what: 'a body that is an array', path: 'body', body: [good] },
    { what: 'a body that is a string', path: 'body', body: JSON.stringify(JSON.stringify(good)) },
    { what: 'a body that is null', path: 'body', body: 'null' },
    { what: 'no body', path: 'body', body: undefined },
  ];
};

const OF_OTHER_TYPES: Readonly<Record<string, readonly unknown[]>> = {
  string: [7, true, null, [], {}, ['vina']],
  integer: ['7', 1.5, true, null, [], {}],
  number: ['0.5', true, null, [], {}],
  object: ['{}', 7, true, null, [], [{}]],
};

/** Half of the matrix is made from the limits that the document states: a field without any would show as too few. */
const wrongValues = (schema: BodySchema): readonly (readonly [string, unknown])[] => {
  const { type = '', minimum, maximum, minLength, maxLength, minProperties } = schema;
  const values = (OF_OTHER_TYPES[type] ?? []).map((value) => ['of the wrong type', value] as const);
  return [
    ...values,
    ...(type === 'string'
      ? [['with U+0000', 'a\0b'] as const, ['with half a character', 'a\ud800'] as const]
      : []),
    ...(type === 'object' ? [['with U+0000 inside', { a: { b: ['\0'] } }] as const] : []),
    ...(schema.enum === undefined ? [] : [['of another word', 'NOT_ONE_OF_THEM'] as const]),
    ...(minLength === undefined || minLength === 0 ? [] : [['empty', ''] as const]),
    ...(maxLength === undefined ? [] : [['too long', 'a'.repeat(maxLength + 1)] as const]),
    ...(minimum === undefined ? [] : [['too small', minimum - 1] as const]),
    ...(maximum === undefined ? [] : [['too large', maximum + 1] as const]),
    ...(minProperties === undefined ? [] : [['empty', {}] as const]),
  ];
};
