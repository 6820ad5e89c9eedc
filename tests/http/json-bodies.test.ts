import { expect } from 'chai';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import type { Job, Page, Problem } from '../support/http-contract.ts';
import { HttpService, type Caller } from '../support/http-service.ts';
import { rowCounts } from '../support/row-counts.ts';
import type { Method, Reply } from '../support/send.ts';

const SETTINGS = '/organizations/alpha/settings';

/** A place where a route keeps JSON as a client sent it. */
interface Place {
  readonly what: string;
  readonly method: Method;
  readonly path: () => string;
  /** A whole body around this JSON. */
  readonly around: (json: string) => string;
  readonly prefix: string;
}

describe('JSON in a body', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let service: HttpService;
  let everyone: Caller;
  let token: string;
  let job: Job;

  before(async () => {
    deployment = await createDeployment();
    service = await HttpService.start(deployment, ['alpha']);
    await deployment.register('alpha');
    token = deployment.token('alpha', ['org_admin', 'member', 'worker']);
    everyone = service.as(token);
    job = (await everyone.post<Job>('/jobs', { engine: 'vina', inputs: { a: 1 } })).body;
  });
  after(async () => {
    await service.close();
    await deployment.dispose();
  });

  const places: readonly Place[] = [
    {
      what: 'inputs of a job',
      method: 'POST',
      path: () => '/jobs',
      around: (json) => `{"engine":"vina","inputs":{"x":${json}}}`,
      prefix: 'inputs.x',
    },
    {
      what: 'params of a job',
      method: 'POST',
      path: () => '/jobs',
      around: (json) => `{"engine":"vina","inputs":{"a":1},"params":{"x":${json}}}`,
      prefix: 'params.x',
    },
    {
      what: 'data of a task result',
      method: 'PUT',
      path: () => `/jobs/${job.job_id}/task-results/docking`,
      around: (json) => `{"service_name":"vina","result_data":{"x":${json}}}`,
      prefix: 'result_data.x',
    },
    {
      what: 'settings',
      method: 'PUT',
      path: () => SETTINGS,
      around: (json) => `{"settings":{"x":${json}}}`,
      prefix: 'settings.x',
    },
    {
      what: 'patch of settings',
      method: 'PATCH',
      path: () => SETTINGS,
      around: (json) => `{"settings":{"x":${json}}}`,
      prefix: 'settings.x',
    },
  ];
  const call = ({ method, path, around }: Place, json: string) =>
    service.call<Problem>(method, path(), { token, body: around(json) });
  const everything = async () => [
    await rowCounts(deployment, deployment.metadataDatabase),
    await rowCounts(deployment, deployment.databaseName('alpha')),
  ];
  const list = (count: number, value: string) => `[${Array.from({ length: count }, () => value).join()}]`;

  for (const place of places) {
    it(`is refused as the ${place.what} when storing it would change or multiply it`, async () => {
      const before = await everything();
      for (const [json, path] of [
        ['9007199254740993', place.prefix],
        ['[0,-9007199254740992]', `${place.prefix}.1`],
        ['{"id":123456789012345678901234567890}', `${place.prefix}.id`],
        ['1e400', place.prefix],
        [list(50_000, '0'), 'body'],
      ] as const) {
        const { status, body } = await call(place, json);
        expect([status, body.errors?.map((error) => error.path)], json.slice(0, 40)).to.deep.equal([
          422,
          [path],
        ]);
      }
      for (const number of ['1e308', '5e-324']) {
        const { status, body } = await call(place, list(20_000, number));
        expect(status).to.equal(422);
        expect(body.errors?.[0]?.path).to.match(new RegExp(String.raw`^${place.prefix}\.\d+$`));
      }
      for (const json of ['{"a":1,"a":1}', String.raw`{"a":1,"\u0061":2}`]) {
        const { status, body } = await call(place, json);
        expect([status, body.code], json).to.deep.equal([400, 'malformed_json']);
      }
      expect(await everything()).to.deep.equal(before);
    });
  }

  it('comes back as it was sent, up to the safe integers and with floats as doubles', async () => {
    const json =
      '{"max":9007199254740991,"exp":1e20,"long":12345678901234567890.0,"few":[1.7976931348623157e308]}';
    const made = await service.call<Job>('POST', '/jobs', {
      token,
      body: `{"engine":"vina","inputs":${json}}`,
    });
    expect(made.status).to.equal(201);
    expect(made.body.inputs).to.deep.equal(JSON.parse(json));
    expect((await everyone.get<Job>(`/jobs/${made.body.job_id}`)).body).to.deep.equal(made.body);
  });

  it('has one order of members in every answer', async () => {
    const inputs = { zz: { b: 1, aaa: 2, 10: 3 }, a: [{ y: 1, x: 2 }], 2: 0 };
    const body = { engine: 'vina', inputs, params: { second: 1, one: 2 } };
    const made = await everyone.post<Job>('/jobs', body, { 'Idempotency-Key': 'order' });
    const { job_id: id } = made.body;
    const answers: readonly Reply<Job>[] = [
      made,
      await everyone.post<Job>('/jobs', body, { 'Idempotency-Key': 'order' }),
      await everyone.get<Job>(`/jobs/${id}`),
      await everyone.patch<Job>(`/jobs/${id}`, { status: 'RUNNING' }),
    ];
    const { items } = (await everyone.get<Page<Job>>('/jobs')).body;
    const seen = [...answers.map((answer) => answer.body), items.find(({ job_id }) => job_id === id)].map(
      (shown) => JSON.stringify([shown?.inputs, shown?.params]),
    );
    expect(new Set(seen).size, seen.join('\n')).to.equal(1);

    const put = await everyone.put(SETTINGS, { settings: inputs });
    const got = await everyone.get(SETTINGS);
    const patched = await everyone.patch(SETTINGS, { settings: {} });
    expect([put.text, patched.text]).to.deep.equal([got.text, got.text]);

    const result = { service_name: 'vina', result_data: inputs };
    const written = await everyone.put<{ result_data: object }>(`/jobs/${id}/task-results/order`, result);
    const read = await everyone.get<Page<{ result_data: object }>>(`/jobs/${id}/task-results`);
    expect(JSON.stringify(read.body.items.map((item) => item.result_data))).to.equal(
      JSON.stringify([written.body.result_data]),
    );
  });

  it('does not grow in settings, patch by patch', async () => {
    await everyone.put(SETTINGS, { settings: {} });
    const statuses: number[] = [];
    // Each is taken alone. All of them together would be written out as a MiB.
    for (let n = 0; n < 5; n += 1) {
      const patch = `{"settings":{"numbers-${n}":${list(200, '1e308')}}}`;
      statuses.push((await service.call('PATCH', SETTINGS, { token, body: patch })).status);
    }
    expect(statuses[0]).to.equal(200);
    expect(statuses.at(-1)).to.equal(422);
    await everyone.put(SETTINGS, { settings: {} });
  });
});
