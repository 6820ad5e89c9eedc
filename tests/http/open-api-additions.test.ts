import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { readVersion } from '../../infrastructure/config/version.ts';
import { openApiDocument } from '../../presentation/http/docs/open-api-document.ts';
import { createRouteTable } from '../../presentation/http/route-table.ts';
import { FakeService } from '../support/fakes/fake-service.ts';
import { openApiBreaks } from '../support/open-api-breaks.ts';

/** What was decided against this rule. CHANGELOG.md says each under "Changed". */
const ACCEPTED = [
  // A login by the key of a service account gets no refresh token; logins by password get one as before.
  '/auth/token post 200 application/json refresh_token: required',
  '/auth/token post 200 application/json refresh_expires_in: required',
  '/auth/refresh post 200 application/json refresh_token: required',
  '/auth/refresh post 200 application/json refresh_expires_in: required',
];

type Json = Readonly<Record<string, unknown>>;
const read = (text: string): Json => JSON.parse(text) as Json;
const released = read(readFileSync(new URL('../releases/0.1.0/openapi.json', import.meta.url), 'utf8'));
const present = read(
  openApiDocument(createRouteTable(new FakeService().deps), {
    version: readVersion(),
    maxOrganizationIdLength: 51,
  }),
);

describe('The OpenAPI document beside that of the last release', () => {
  it('has all that a client of that release uses, and wants nothing more of it', () => {
    expect(openApiBreaks(released, present)).to.deep.equal(ACCEPTED);
  });

  describe('is refused', () => {
    const schema = {
      type: 'object',
      properties: { name: { type: 'string', enum: ['a', 'b'], maxLength: 9 }, note: { type: 'string' } },
      required: ['name'],
    };
    const body = (of: unknown) => ({ content: { 'application/json': { schema: of } } });
    const documentOf = (request: unknown, response: unknown, rest: object = {}): Json => ({
      paths: {
        '/jobs': {
          post: {
            requestBody: body({ $ref: '#/components/schemas/In' }),
            responses: { 200: body(response), 404: {} },
            ...rest,
          },
        },
      },
      components: { schemas: { In: request } },
    });
    const query = (name: string, required: boolean) => ({ in: 'query', name, required, schema: {} });
    const before = documentOf(schema, schema, { parameters: [query('limit', false)] });
    const { properties } = schema;
    const kept = { parameters: [query('limit', false)] };

    for (const [what, after, says] of [
      ['a path is gone', { paths: {} }, ' /jobs: gone'],
      ['a method is gone', { paths: { '/jobs': { get: {} } } }, '/jobs post: gone'],
      [
        'a status is gone',
        documentOf(schema, schema, { ...kept, responses: { 200: body(schema) } }),
        '/jobs post 404: gone',
      ],
      [
        'a property of an answer is gone',
        documentOf(schema, { ...schema, properties: { name: properties.name } }, kept),
        '/jobs post 200 application/json note: gone',
      ],
      [
        'a property of an answer may be missing',
        documentOf(schema, { ...schema, required: [] }, kept),
        '/jobs post 200 application/json name: required',
      ],
      [
        'an answer may be null',
        documentOf(schema, { ...schema, type: ['object', 'null'] }, kept),
        '/jobs post 200 application/json: type null',
      ],
      [
        'a property of a request is no longer taken',
        documentOf({ ...schema, properties: { name: properties.name } }, schema, kept),
        '/jobs post body application/json note: gone',
      ],
      [
        'a property of a request has become required',
        documentOf({ ...schema, required: ['name', 'note'] }, schema, kept),
        '/jobs post body application/json note: required',
      ],
      [
        'a value is no longer taken',
        documentOf(
          { ...schema, properties: { ...properties, name: { ...properties.name, enum: ['a'] } } },
          schema,
          kept,
        ),
        '/jobs post body application/json name: enum b',
      ],
      [
        'a limit is lower',
        documentOf(
          { ...schema, properties: { ...properties, name: { ...properties.name, maxLength: 8 } } },
          schema,
          kept,
        ),
        '/jobs post body application/json name: maxLength 8',
      ],
      ['a parameter is gone', documentOf(schema, schema), '/jobs post query limit: gone'],
      [
        'a new parameter is required',
        documentOf(schema, schema, { parameters: [query('limit', false), query('sort', true)] }),
        '/jobs post query sort: required',
      ],
    ] as const)
      it(`where ${what}`, () => {
        expect(openApiBreaks(before, after)).to.deep.equal([says]);
      });

    it('nowhere for what is added', () => {
      const wider = {
        ...schema,
        properties: { ...properties, name: { ...properties.name, enum: ['a', 'b', 'c'] }, more: {} },
      };
      const after = documentOf(wider, { ...wider, required: ['name', 'more'] }, kept);
      expect(openApiBreaks(before, after)).to.deep.equal([]);
    });
  });
});
