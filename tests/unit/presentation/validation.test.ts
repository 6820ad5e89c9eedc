import { expect } from 'chai';
import { object, safeParse, toJSONSchema } from 'zod';
import { createRouteTable } from '../../../presentation/http/route-table.ts';
import type { Route } from '../../../presentation/http/routing/route.ts';
import { FakeService } from '../../support/fakes/fake-service.ts';
import { JOB_ID, sampleBody, samplePath, sampleService, titleOf } from '../../support/fakes/samples.ts';

const ALL_ROLES = ['org_admin', 'member', 'worker'] as const;

const send = (service: FakeService, route: Route, query = '') => {
  const client = route.roles.includes('platform_admin')
    ? service.admin()
    : route.roles.includes('fleet')
      ? service.as(service.tokens.of(null, 'fleet'))
      : service.acme(...ALL_ROLES);
  return client[route.method](`${samplePath(route)}${query}`);
};

const pathsOf = (response: { readonly body: { readonly errors: readonly { readonly path: string }[] } }) =>
  response.body.errors.map(({ path }) => path);

/** For requests that are refused before anything is done: to make one takes longer than to ask it. */
const refusing = new FakeService();
const routes = createRouteTable(refusing.deps);

const post = (text: string) =>
  new FakeService()
    .acme('member')
    .post('/jobs')
    .type('json')
    .serialize((value) => value)
    .send(text);

describe('Validation', () => {
  for (const route of routes) {
    it(`refuses an unknown query parameter on ${titleOf(route)}`, async () => {
      const request = send(refusing, route, '?surprise=1');
      const body = sampleBody(route);
      const response = await (body === undefined ? request : request.send(body));
      expect(response.status).to.equal(422);
      expect(response.body.code).to.equal('validation_failed');
      expect(pathsOf(response)).to.deep.equal(['surprise']);
      expect(refusing.databases.acquired).to.be.empty;
    });
  }

  for (const route of routes.filter(({ request }) => request.body !== undefined)) {
    it(`refuses an unknown field in the body of ${titleOf(route)}`, async () => {
      const response = await send(refusing, route).send({ ...sampleBody(route), surprise: 1 });
      expect(response.status).to.equal(422);
      expect(pathsOf(response)).to.deep.equal(['surprise']);
    });

    for (const [field, schema] of Object.entries(route.request.body?.shape ?? {})) {
      it(`refuses a ${field} of the wrong type in the body of ${titleOf(route)}`, async () => {
        // Null, true and an empty list mean something to some fields. A list of numbers means nothing to any.
        const others = [[], null, true].filter((value) => !safeParse(schema, value).success);
        for (const wrong of [[1], ...others]) {
          const response = await send(refusing, route).send({
            ...sampleBody(route),
            [field]: wrong,
          });
          expect(response.status).to.equal(422);
          expect(pathsOf(response).map((path) => path.replace(/\.0$/, ''))).to.deep.equal([field]);
        }
      });
    }
  }

  it('names the missing fields', async () => {
    const response = await new FakeService().acme('worker').post(`/jobs/${JOB_ID}/artifacts`).send({});
    expect(response.body.errors).to.deep.equal([
      { path: 'name', message: 'is required' },
      { path: 'purpose', message: 'is required' },
      { path: 'uri', message: 'is required' },
    ]);
  });

  it('collects what is wrong in path, query, headers and body', async () => {
    const service = new FakeService();
    const ofTask = await service
      .acme('worker')
      .put('/jobs/no-uuid/task-results/%00?surprise=1')
      .send({ service_name: '', result_data: {} });
    expect(pathsOf(ofTask)).to.have.members(['job_id', 'task_name', 'surprise', 'service_name']);
    const ofJob = await service
      .acme('member')
      .post('/jobs?use_cache=yes')
      .set('Idempotency-Key', 'k'.repeat(201))
      .send({ engine: 'vina', inputs: { bad: '\0' } });
    expect(pathsOf(ofJob)).to.have.members(['use_cache', 'Idempotency-Key', 'inputs.bad']);
  });

  it('refuses a parameter that is given twice', async () => {
    for (const query of ['limit=1&limit=2', 'status=PENDING&status=FAILED', 'cursor=a&cursor=b']) {
      const response = await new FakeService().acme('member').get(`/jobs?${query}`);
      expect(response.status).to.equal(422);
      expect(pathsOf(response)).to.deep.equal([query.split('=')[0]]);
    }
  });

  for (const query of [
    'limit=0',
    'limit=201',
    'limit=-1',
    'limit=1.5',
    'limit=1e2',
    'limit=0x10',
    'limit=',
    'limit=%201',
    'limit=99999999999999999999',
    'limit[]=1',
    'status=DONE',
    'status=pending',
    'status=',
    'cursor=',
    'cursor=%00',
    'cursor=a%20b',
    'cursor=abc',
    'cursor=bnVsbA',
    `cursor=${Buffer.from('[1]').toString('base64url')}`,
    `cursor=${Buffer.from('["now","x"]').toString('base64url')}`,
    `cursor=${Buffer.from(`[1e300,"${JOB_ID}"]`).toString('base64url')}`,
    `cursor=${Buffer.from(`[-1,"${JOB_ID}"]`).toString('base64url')}`,
    `cursor=${'a'.repeat(600)}`,
    '__proto__=1',
    'constructor=1',
  ]) {
    it(`refuses the job list ?${query.slice(0, 60)}`, async () => {
      const response = await refusing.acme('member').get(`/jobs?${query}`);
      expect(response.status).to.equal(422);
      expect(refusing.databases.acquired).to.be.empty;
    });
  }

  for (const path of [
    '/organizations?cursor=IkFDTUUi',
    '/organizations/acme/audit-logs?cursor=Ii0xIg',
    '/organizations/acme/audit-logs?cursor=Ijk5OTk5OTk5OTk5OTk5OTk5OTki',
    '/organizations/acme/audit-logs?action=%27%3B--',
    '/admin/databases?cursor=IkFDTUUi',
    '/admin/databases?state=broken',
    // Of earlier releases: a database is not suspended, its organization is.
    '/admin/databases?state=suspended',
  ]) {
    it(`refuses ${path}`, async () => {
      const response = await new FakeService().admin().get(path);
      expect(response.status).to.equal(422);
      expect(pathsOf(response)).to.have.length(1);
      expect(path).to.contain(`${pathsOf(response)[0]}=`);
    });
  }

  const JOB = { engine: 'vina', inputs: { ligand: 'CCO' } };
  const jobRefusals: readonly (readonly [object, string])[] = [
    [{ engine: '' }, 'engine'],
    [{ engine: 'a'.repeat(65) }, 'engine'],
    [{ engine: 'vina; rm -rf' }, 'engine'],
    [{ engine: '../vina' }, 'engine'],
    [{ engine: 'vi\0na' }, 'engine'],
    [{ pipeline_version: '' }, 'pipeline_version'],
    [{ pipeline_version: 'x'.repeat(65) }, 'pipeline_version'],
    [{ inputs: {} }, 'inputs'],
    [{ inputs: 'ligand' }, 'inputs'],
    [{ params: 5 }, 'params'],
    [{ priority: -1 }, 'priority'],
    [{ priority: 101 }, 'priority'],
    [{ priority: 1.5 }, 'priority'],
    [{ priority: '5' }, 'priority'],
    [{ inputs: { smiles: 'C\0O' } }, 'inputs.smiles'],
    [{ inputs: { list: ['ok', '\ud800'] } }, 'inputs.list.1'],
    [{ params: { 'a\0b': 1 } }, 'params'],
  ];
  for (const [change, path] of jobRefusals) {
    it(`refuses a job with ${JSON.stringify(change).slice(0, 60)}, naming ${path}`, async () => {
      const service = new FakeService();
      const response = await service
        .acme('member')
        .post('/jobs')
        .send({ ...JOB, ...change });
      expect(response.status).to.equal(422);
      expect(new Set(pathsOf(response))).to.deep.equal(new Set([path]));
      expect(service.databases.acquired).to.be.empty;
    });
  }

  for (const engine of ['vina', 'smina', 'gnina', 'autodock4-gpu', 'rdock_2.1', 'a'.repeat(64)]) {
    it(`takes the engine ${engine.slice(0, 20)}`, async () => {
      const response = await new FakeService()
        .acme('member')
        .post('/jobs')
        .send({ ...JOB, engine });
      expect(response.status).to.equal(201);
    });
  }

  it('refuses numbers that a double cannot hold, nesting without end and __proto__', async () => {
    const deep = `${'{"a":'.repeat(100)}1${'}'.repeat(100)}`;
    const veryDeep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
    for (const inputs of [
      '{"a":1e400}',
      '{"a":-1e400}',
      deep,
      `{"a":${veryDeep}}`,
      '{"__proto__":{"a":1}}',
      '{"a":1,"__proto__":{"a":1}}',
      '{"a":[{"__proto__":1}]}',
    ]) {
      const response = await post(`{"engine":"vina","inputs":${inputs}}`);
      expect(response.status).to.equal(422);
      expect(pathsOf(response)[0]).to.match(/^inputs/);
    }
    const response = await post('{"engine":"vina","inputs":{"a":1},"__proto__":{"b":2}}');
    expect(response.status).to.equal(422);
  });

  it('takes text in any language, and emoji', async () => {
    const inputs = { name: 'Ångström β-Lactam 阿司匹林 🧪' };
    const response = await new FakeService()
      .acme('member')
      .post('/jobs')
      .send({ ...JOB, inputs });
    expect(response.status).to.equal(201);
    expect(response.body.inputs).to.deep.equal(inputs);
  });

  it('says no more than fifty things, and no path without end', async () => {
    const inputs = Object.fromEntries(
      Array.from({ length: 500 }, (_, index) => [`${index}${'k'.repeat(300)}`, '\0']),
    );
    const response = await new FakeService()
      .acme('member')
      .post('/jobs')
      .send({ ...JOB, inputs });
    expect(response.body.errors).to.have.length(50);
    expect(Math.max(...pathsOf(response).map((path) => path.length))).to.equal(200);
  });

  const artifact = { name: 'poses.sdf', purpose: 'poses', uri: 's3://bucket/poses.sdf' };
  for (const [change, path] of [
    [{ uri: 'poses.sdf' }, 'uri'],
    [{ uri: '://x' }, 'uri'],
    [{ uri: 's3://a b' }, 'uri'],
    [{ uri: `s3://${'x'.repeat(2048)}` }, 'uri'],
    [{ size_bytes: -1 }, 'size_bytes'],
    [{ size_bytes: 1.5 }, 'size_bytes'],
    [{ size_bytes: 2 ** 53 }, 'size_bytes'],
    [{ checksum: 'x'.repeat(201) }, 'checksum'],
    [{ name: '' }, 'name'],
    [{ content_type: 'a\0b' }, 'content_type'],
    [{ uri: 'javascript://x/%0aalert(1)' }, 'uri'],
    [{ uri: 'javascript:alert(1)' }, 'uri'],
    [{ uri: 'data:text/html,<script>' }, 'uri'],
    [{ uri: 'vbscript://x' }, 'uri'],
    [{ uri: 's3://bucket/<b>' }, 'uri'],
    [{ uri: 's3://bucket/\u202etxt.exe' }, 'uri'],
    [{ name: 'poses\u202efds.exe' }, 'name'],
    [{ name: 'poses\n.sdf' }, 'name'],
    [{ purpose: '\u001b[2J' }, 'purpose'],
    [{ content_type: 'text' }, 'content_type'],
    [{ content_type: 'text/html\r\nX-Other: 1' }, 'content_type'],
    [{ content_type: 'text/html; charset' }, 'content_type'],
    [{ checksum: 'sha256:<script>' }, 'checksum'],
    [{ checksum: 'no checksum' }, 'checksum'],
  ] as const) {
    it(`refuses an artifact with ${JSON.stringify(change).slice(0, 60)}`, async () => {
      const response = await new FakeService()
        .acme('worker')
        .post(`/jobs/${JOB_ID}/artifacts`)
        .send({ ...artifact, ...change });
      expect(response.status).to.equal(422);
      expect(pathsOf(response)).to.deep.equal([path]);
    });
  }

  for (const change of [
    { uri: 'https://files.example/poses.sdf?version=3#top', content_type: 'chemical/x-mdl-sdfile' },
    { uri: 'file:///data/poses.sdf', content_type: 'text/plain; charset=utf-8' },
    { uri: 'gs://bucket/größe.sdf', checksum: `sha256:${'ab'.repeat(32)}` },
    { checksum: 'd41d8cd98f00b204e9800998ecf8427e', content_type: 'multipart/mixed; boundary="a b"' },
    { checksum: 'sha-256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' },
    { name: 'Poses für می\u200cخواهم 👩\u200d🔬' },
  ]) {
    it(`takes an artifact with ${JSON.stringify(change).slice(0, 60)}`, async () => {
      const service = await sampleService(new FakeService(), 'worker');
      const response = await service
        .acme('worker')
        .post(`/jobs/${JOB_ID}/artifacts`)
        .send({ ...artifact, ...change });
      expect(response.status, response.text).to.equal(201);
    });
  }

  for (const score of [-0.1, 1.1, '0.5']) {
    it(`refuses the confidence score ${JSON.stringify(score)}`, async () => {
      const response = await new FakeService()
        .acme('worker')
        .put(`/jobs/${JOB_ID}/task-results/docking`)
        .send({ service_name: 'vina', result_data: {}, confidence_score: score });
      expect(response.status).to.equal(422);
      expect(pathsOf(response)).to.deep.equal(['confidence_score']);
    });
  }

  for (const [path, field] of [
    ['/jobs/1234', 'job_id'],
    ['/jobs/%27%20or%201=1', 'job_id'],
    [`/jobs/${JOB_ID}0`, 'job_id'],
    ['/organizations/acme/input-signatures/abc', 'signature'],
    [`/organizations/acme/input-signatures/${'AB'.repeat(32)}`, 'signature'],
  ] as const) {
    it(`refuses ${path.slice(0, 60)}`, async () => {
      const response = await new FakeService().acme('member').get(path);
      expect(response.status).to.equal(422);
      expect(pathsOf(response)).to.deep.equal([field]);
    });
  }

  for (const name of ['', '   ', 'x'.repeat(201), 'a\0b', 'a\u0007', 'a\u2028b', 'a\u2066b', 'a\ufeffb']) {
    it(`refuses the organization name ${JSON.stringify(name.slice(0, 10))}`, async () => {
      const client = new FakeService().admin();
      const made = await client.post('/organizations').send({ org_id: 'gamma', name });
      const changed = await client.patch('/organizations/acme').send({ name });
      for (const response of [made, changed]) {
        expect(response.status).to.equal(422);
        expect(pathsOf(response)).to.deep.equal(['name']);
      }
    });
  }

  for (const email of [
    'a\u202eb@example.org',
    'a\u0007@example.org',
    'a\u200b@example.org',
    'a@ex\u00adample.org',
    'a@b@c',
    '<a>@example.org',
    'a@-example.org',
    'a@example..org',
    'a b@example.org',
  ]) {
    it(`refuses the email ${JSON.stringify(email)}`, async () => {
      const made = await new FakeService().admin().post('/users').send({ email });
      const added = await new FakeService()
        .admin()
        .post('/organizations/acme/members')
        .send({ email, roles: ['member'] });
      for (const response of [made, added]) {
        expect(response.status).to.equal(422);
        expect(pathsOf(response)).to.deep.equal(['email']);
      }
    });
  }

  for (const email of ["o'neil+lab@example.org", 'jürgen@bücher.example', 'root@localhost']) {
    it(`takes the email ${email}`, async () => {
      expect((await new FakeService().admin().post('/users').send({ email })).status).to.equal(201);
    });
  }

  for (const error of ['\u001b[31mfailed', 'a\u202eb', 'a\rb', 'a\u0085b']) {
    it(`refuses the error ${JSON.stringify(error)}`, async () => {
      const response = await new FakeService()
        .acme('worker')
        .patch(`/jobs/${JOB_ID}`)
        .send({ status: 'FAILED', error });
      expect(response.status).to.equal(422);
      expect(pathsOf(response)).to.deep.equal(['error']);
    });
  }

  it('takes an error of several lines, with tabs', async () => {
    const service = await sampleService(new FakeService(), 'worker');
    const error = 'Traceback:\r\n\tat docking\n\tat vina';
    const response = await service.acme('worker').patch(`/jobs/${JOB_ID}`).send({ status: 'FAILED', error });
    expect(response.status).not.to.equal(422);
  });

  for (const id of ['template', 'ACME', 'a'.repeat(52), '', '-a', 'a b', "a'", 'ä', '../a']) {
    it(`refuses to register the organization id ${JSON.stringify(id.slice(0, 20))}`, async () => {
      const service = new FakeService();
      const response = await service.admin().post('/organizations').send({ org_id: id, name: 'Name' });
      expect(response.status).to.equal(422);
      expect(pathsOf(response)).to.deep.equal(['org_id']);
      expect([...service.metadata.stored.keys()]).to.deep.equal(['acme', 'beta']);
    });
  }
});

describe('A JSON body', () => {
  const inputs = (json: string) => post(`{"engine":"vina","inputs":${json}}`);

  for (const [what, json, path] of [
    ['one more than a double holds', '{"id":9007199254740993}', 'inputs.id'],
    ['the first that is not safe', '{"id":9007199254740992}', 'inputs.id'],
    ['below zero', '{"list":[0,-9007199254740993]}', 'inputs.list.1'],
    ['with thirty digits', '{"id":123456789012345678901234567890}', 'inputs.id'],
    ['with four hundred digits', `{"id":${'9'.repeat(400)}}`, 'inputs.id'],
  ] as const) {
    it(`with an integer ${what} is refused, naming it`, async () => {
      const response = await inputs(json);
      expect(response.status).to.equal(422);
      expect(pathsOf(response)).to.deep.equal([path]);
    });
  }

  it('keeps integers up to 2^53 - 1, and rounds what is written as a fraction', async () => {
    const response = await inputs(
      '{"max":9007199254740991,"min":-9007199254740991,"exp":1e20,"point":12345678901234567890.0,"small":0.1}',
    );
    expect(response.status).to.equal(201);
    expect(response.body.inputs).to.deep.equal({
      max: Number.MAX_SAFE_INTEGER,
      min: Number.MIN_SAFE_INTEGER,
      exp: 1e20,
      point: Number('12345678901234567890'),
      small: 0.1,
    });
  });

  for (const body of [
    '{"engine":"vina","engine":"smina","inputs":{"a":1}}',
    '{"engine":"vina","inputs":{"a":1},"inputs":{"b":1}}',
    '{"engine":"vina","inputs":{"a":1,"a":1}}',
    String.raw`{"engine":"vina","inputs":{"a":1,"\u0061":2}}`,
    '{"engine":"vina","inputs":{"list":[{},{"x":{"b":[],"c":1,"b":null}}]}}',
    '{"engine":"vina","inputs":{"":1,"":2}}',
  ]) {
    it(`with two members of one name is malformed: ${body}`, async () => {
      const response = await post(body);
      expect([response.status, response.body.code]).to.deep.equal([400, 'malformed_json']);
    });
  }

  it('may use a name again in another object', async () => {
    expect((await inputs('{"a":{"a":1},"b":[{"a":1},{"a":1}],"c":"a"}')).status).to.equal(201);
  });

  it('is not taken for larger numbers than it has', async () => {
    expect((await inputs(String.raw`{"a":"9007199254740993","b":"1e308\",1e308"}`)).status).to.equal(201);
  });

  it('with a few of the greatest and smallest numbers is taken', async () => {
    const json = JSON.stringify({ a: Array.from({ length: 100 }, () => [1.7976931348623157e308, 5e-324]) });
    expect((await inputs(json)).status).to.equal(201);
  });

  for (const number of ['1e308', '-1E+308', '5e-324', '1.5e-300']) {
    it(`with a flood of ${number}, which the database writes in full, is refused`, async () => {
      const response = await inputs(`{"a":[${Array.from({ length: 2000 }, () => number).join()}]}`);
      expect(response.status).to.equal(422);
      expect(pathsOf(response)).to.have.length(1);
      expect(pathsOf(response)[0]).to.match(/^inputs\.a\.\d+$/);
    });
  }

  for (const [what, json] of [
    ['empty lists', `{"a":[${Array.from({ length: 60_000 }, () => '[]').join()}]}`],
    ['members', `{${Array.from({ length: 60_000 }, (_, n) => `"${n}":1`).join()}}`],
  ] as const) {
    it(`with more than 50,000 ${what} is refused`, async () => {
      const response = await inputs(json);
      expect(response.status).to.equal(422);
      expect(pathsOf(response)).to.deep.equal(['body']);
    });
  }

  it('that breaks off is malformed, wherever it does', async () => {
    const whole = String.raw`{"engine":"vi\u006ea","inputs":{"a":[1e5,{"b":null}],"c":"\\"}}`;
    for (let length = 1; length < whole.length; length += 1) {
      const response = await post(whole.slice(0, length));
      expect([response.status, response.body.code], whole.slice(0, length)).to.deep.equal([
        400,
        'malformed_json',
      ]);
    }
    expect((await post(whole)).status).to.equal(201);
  });
});

describe('The size of a body', () => {
  /** The most bytes that a body of this schema needs in UTF-8, as far as the schema bounds it. */
  const longest = (schema: Schema): number => {
    if (schema.type === 'object') {
      const members = Object.entries(schema.properties ?? {});
      return members.reduce((sum, [name, member]) => sum + name.length + 4 + longest(member), 2);
    }
    if (schema.type === 'array') return 2 + (schema.maxItems ?? 0) * (1 + longest(schema.items ?? {}));
    if (schema.format === 'uuid') return 38;
    // A UTF-16 code unit takes at most three bytes.
    return schema.type === 'string' ? 2 + 3 * (schema.maxLength ?? 0) : 32;
  };

  interface Schema {
    readonly type?: string;
    readonly format?: string;
    readonly maxLength?: number;
    readonly maxItems?: number;
    readonly items?: Schema;
    readonly properties?: Readonly<Record<string, Schema>>;
  }

  const DOCUMENTS = new Set([
    'submitJob',
    'putTaskResult',
    'completeJob',
    'completeJobs',
    'replaceSettings',
    'patchSettings',
  ]);
  const isBatch = (name: string) => name.startsWith('submitJobBatch');
  const withBody = routes.filter(({ request }) => request.body !== undefined);

  for (const route of withBody) {
    const { name, request, maxBodyBytes } = route;
    it(`is bounded on ${titleOf(route)} by what it needs`, async () => {
      const isDocument = DOCUMENTS.has(name.replace(/ByClaim$/, ''));
      if (isDocument) expect(maxBodyBytes).to.equal(2 ** 20);
      else if (isBatch(name)) expect(maxBodyBytes).to.equal(2 ** 23);
      else {
        const needed = longest(
          toJSONSchema(request.body ?? object({}), { io: 'input', unrepresentable: 'any' }) as Schema,
        );
        expect(maxBodyBytes).to.be.within(needed, Math.max(8 * 1024, 4 * needed));
      }
      const body = { ...sampleBody(route), surplus: 'x'.repeat(maxBodyBytes) };
      const response = await send(new FakeService(), route).send(body);
      expect([response.status, response.body.code]).to.deep.equal([413, 'body_too_large']);
    });
  }
});
