import { expect } from 'chai';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import { fetchBytes, sha256Of } from '../support/fetch-bytes.ts';
import type { Job, Page, Problem } from '../support/http-contract.ts';
import { HttpService, type Caller } from '../support/http-service.ts';
import { atom, LIGAND, RECEPTOR } from '../support/fakes/molecules.ts';

interface Artifact {
  readonly artifact_id: string;
  readonly uri: string;
  readonly content_type: string | null;
  readonly size_bytes: number | null;
  readonly checksum: string | null;
}

interface Warned {
  readonly warnings?: readonly { readonly code: string; readonly path: string; readonly message: string }[];
}

interface Batch {
  readonly items: readonly Warned[];
}

const BOX = { center_x: 1, center_y: 2, center_z: 3, size_x: 20, size_y: 20, size_z: 20 };

describe('Files of jobs over HTTP', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let service: HttpService;
  let member: Caller;
  let worker: Caller;

  before(async () => {
    deployment = await createDeployment();
    service = await HttpService.start(deployment, ['alpha', 'beta']);
    await deployment.register('alpha', 'beta');
    member = service.as(deployment.token('alpha', ['member']));
    worker = service.as(deployment.token('alpha', ['worker']));
  });
  after(async () => {
    await service.close();
    await deployment.dispose();
  });

  const send = async (body: string, name = 'data.bin', organization = 'alpha'): Promise<string> => {
    const { status } = await fetchBytes(`${service.url}/files`, {
      method: 'POST',
      token: deployment.token(organization, ['member']),
      headers: { 'content-disposition': `attachment; filename="${name}"` },
      body,
    });
    expect(status).to.be.oneOf([200, 201]);
    return `sha256:${sha256Of(body)}`;
  };
  const inAlpha = <Row>(sql: string, ...values: readonly unknown[]): Promise<readonly Row[]> =>
    deployment.administer<Row>(sql, values, deployment.databaseName('alpha'));
  const submit = (inputs: object, more: object = {}) =>
    member.post<Job & Problem & Warned>('/jobs', { engine: 'vina', inputs, ...more });
  const issuesOf = async (inputs: object, more: object = {}): Promise<readonly string[]> => {
    const [{ count } = { count: -1 }] = await inAlpha<{ count: number }>(
      'select count(*)::int from docking_jobs',
    );
    const { status, body } = await submit(inputs, more);
    expect(status, JSON.stringify(body)).to.equal(422);
    const [after] = await inAlpha<{ count: number }>('select count(*)::int from docking_jobs');
    expect(after?.count).to.equal(count);
    return (body.errors ?? []).map(({ path, message }) => `${path}: ${message}`);
  };

  describe('in inputs', () => {
    it('are named by their contents, and written down with the job', async () => {
      const [receptor, ligand] = [await send(RECEPTOR, 'r.pdbqt'), await send(LIGAND, 'l.pdbqt')];
      const inputs = {
        receptor: { file: receptor, name: 'r.pdbqt' },
        ligand: { file: ligand },
        more: [{ file: ligand }],
      };
      const { status, body } = await submit(inputs, { params: BOX });
      expect(status).to.equal(201);
      expect(body.inputs).to.deep.equal(inputs);
      const rows = await inAlpha(
        'select role, name, sha256 from job_files where job_id = $1 order by role',
        body.job_id,
      );
      expect(rows).to.deep.equal([
        { role: 'ligand', name: null, sha256: ligand.slice(7) },
        { role: 'more.0', name: null, sha256: ligand.slice(7) },
        { role: 'receptor', name: 'r.pdbqt', sha256: receptor.slice(7) },
      ]);
    });

    it('decide the signature by their contents, whatever they are called', async () => {
      const [one, other] = [await send('contents'), await send('other contents')];
      const signatureOf = async (ligand: object | string) => (await submit({ ligand })).body.input_signature;
      const named = await signatureOf({ file: one, name: 'a.pdbqt' });
      expect(await signatureOf({ file: one, name: 'b.pdbqt' })).to.equal(named);
      expect(await signatureOf({ file: one })).to.equal(named);
      expect(await signatureOf({ file: other, name: 'a.pdbqt' })).not.to.equal(named);
      // RFC 8785 of what decides the result: the signatures of inputs without files are as ever.
      const plain = '{"engine":"vina","inputs":{"ligand":"a.pdbqt"},"params":{},"pipeline_version":"1.0.0"}';
      expect(await signatureOf('a.pdbqt')).to.equal(sha256Of(plain));
      const files = `{"engine":"vina","inputs":{"ligand":{"file":"${one}"}},"params":{},"pipeline_version":"1.0.0"}`;
      expect(named).to.equal(sha256Of(files));
      const like = { file: 'poses.pdbqt', name: 'is kept' };
      expect(await signatureOf(like)).not.to.equal(await signatureOf({ file: 'poses.pdbqt' }));
    });

    it('hit the cache under another name', async () => {
      const ligand = await send('cached contents');
      const first = await submit({ ligand: { file: ligand, name: 'first' } });
      await worker.patch(`/jobs/${first.body.job_id}`, { status: 'RUNNING' });
      const result = { service_name: 'vina', result_data: { affinity: -9 } };
      await worker.put(`/jobs/${first.body.job_id}/task-results/docking`, result);
      await worker.patch(`/jobs/${first.body.job_id}`, { status: 'COMPLETED' });
      const { body } = await member.post<Job>('/jobs?use_cache=true', {
        engine: 'vina',
        inputs: { ligand: { file: ligand, name: 'second' } },
      });
      expect(body.cache).to.deep.include({ hit: true, canonical_job_id: first.body.job_id });
      expect(body.inputs).to.deep.equal({ ligand: { file: ligand, name: 'second' } });
    });

    it('are another request under the same Idempotency-Key when their names differ', async () => {
      const ligand = await send('idempotent');
      const key = { 'Idempotency-Key': 'files-1' };
      const post = (name: string) =>
        member.post<Job & Problem>(
          '/jobs',
          { engine: 'vina', inputs: { ligand: { file: ligand, name } } },
          key,
        );
      const [first, replay, other] = [await post('a'), await post('a'), await post('b')];
      expect([first.status, replay.status, other.status]).to.deep.equal([201, 200, 409]);
      expect(replay.body.job_id).to.equal(first.body.job_id);
      expect(await inAlpha('select from job_files where job_id = $1', first.body.job_id)).to.have.length(1);
    });

    it('cannot stand at two places of one name', async () => {
      const [one, other] = [{ file: await send('one place') }, { file: await send('other place') }];
      expect(await issuesOf({ 'a.b': one, a: { b: other } })).to.deep.equal([
        'inputs.a.b: stands there twice: a name with dots in it is also a way to another member',
      ]);
      expect(await issuesOf({ 'a.0': one, a: [one] })).to.have.length(1);
      const batch = { engine: 'vina', items: [{ inputs: { 'a.b': one, a: { b: one } } }] };
      const { status, body } = await member.post<Problem>('/job-batches', batch);
      expect([status, body.errors?.[0]?.path]).to.deep.equal([422, 'items.0.inputs.a.b']);
    });

    it('have to be the organization’s, and well named', async () => {
      const foreign = await send('of beta', 'b', 'beta');
      const unknown = `sha256:${sha256Of('nobody has it')}`;
      const no = 'names no file of the organization';
      const inputs = {
        receptor: { file: foreign },
        ligands: [{ file: unknown }, { deep: { file: unknown } }],
      };
      expect(await issuesOf(inputs)).to.deep.equal([
        `inputs.receptor.file: ${no}`,
        `inputs.ligands.0.file: ${no}`,
        `inputs.ligands.1.deep.file: ${no}`,
      ]);
      for (const [ligand, path] of [
        [{ file: 'sha256:abc' }, 'inputs.ligand.file'],
        [{ file: `sha256:${'A'.repeat(64)}` }, 'inputs.ligand.file'],
        [{ file: unknown, size: 1 }, 'inputs.ligand.size'],
        [{ file: unknown, name: 1 }, 'inputs.ligand.name'],
        [{ file: unknown, name: '' }, 'inputs.ligand.name'],
        [{ file: unknown, name: 'a\nb' }, 'inputs.ligand.name'],
        [{ file: unknown, name: 'x'.repeat(256) }, 'inputs.ligand.name'],
      ] as const)
        expect(await issuesOf({ ligand })).to.satisfy(([issue = '']: readonly string[]) =>
          issue.startsWith(`${path}: `),
        );
      expect((await issuesOf({ file: unknown }))[0]).to.match(/^inputs: /);
      const many = Array.from({ length: 101 }, () => ({ file: unknown }));
      expect((await issuesOf({ many }))[0]).to.match(/^inputs: must refer to at most 100 files/);
    });

    it('are looked at for the engine that docks them, with the line', async () => {
      const receptor = { file: await send(RECEPTOR, 'r.pdbqt') };
      const ligand = { file: await send(LIGAND, 'l.pdbqt') };
      const bad = { file: await send(LIGAND.replace('OA', 'B '), 'boron.pdbqt') };
      const short = {
        file: await send(`ROOT\n${atom(1, [1, 2, 3]).slice(0, 70)}\nENDROOT\nTORSDOF 0\n`, 's.pdbqt'),
      };
      expect(await issuesOf({ receptor: ligand, ligand: receptor })).to.deep.equal([
        'inputs.receptor.file: must be a receptor, and is a ligand (it has ROOT, BRANCH or TORSDOF)',
        'inputs.ligand.file: must be a ligand, and is a receptor (it has no ROOT)',
      ]);
      expect(await issuesOf({ receptor, ligand: bad })).to.deep.equal([
        'inputs.ligand.file: is no ligand that Vina takes: line 4: the atom type "B" is none of Vina\'s',
      ]);
      expect((await issuesOf({ receptor, ligand: short }))[0]).to.match(
        /: line 2: an atom's line has 70 characters/,
      );
      expect(await issuesOf({ receptor, ligand, flex: receptor })).to.deep.equal([
        'inputs.flex: is not offered: flexible residues are not docked here',
      ]);
      expect(
        await issuesOf({ receptor, ligand }, { params: { ...BOX, size_y: 0, center_x: '1' } }),
      ).to.deep.equal(['params.center_x: must be a number, in Å', 'params.size_y: must be greater than 0 Å']);
      const { size_z: _left, ...partly } = BOX;
      expect(await issuesOf({ receptor, ligand }, { params: partly })).to.deep.equal([
        'params.size_z: is required beside the other numbers of the box',
      ]);
      // Formats that the service does not know, and other engines, are the worker's to judge.
      const unknown = { file: await send('an SDF', 'ligand.sdf') };
      expect((await submit({ receptor, ligand: unknown })).status).to.equal(201);
      expect((await submit({ receptor: ligand, ligand: bad }, { engine: 'gnina' })).status).to.equal(201);
    });

    it('with an odd box are taken, and warned of once', async () => {
      const receptor = { file: await send(RECEPTOR, 'r.pdbqt') };
      const ligand = { file: await send(LIGAND, 'l.pdbqt') };
      const largest = { ...BOX, size_x: 30, size_y: 30, size_z: 30 };
      const large = { ...largest, size_z: 30.5 };
      const away = { ...BOX, center_y: 500 };
      const at = (seed: number, params: object) => ({ params: { ...params, seed } });
      const codesOf = async (request: object): Promise<readonly string[]> => {
        const { status, body } = await submit({ receptor, ligand }, request);
        expect(status).to.equal(201);
        return (body.warnings ?? []).map(({ code, path, message }) => {
          expect(message).not.to.equal('');
          return `${path}: ${code}`;
        });
      };
      expect(await codesOf(at(1, BOX))).to.deep.equal([]);
      expect(await codesOf(at(2, largest))).to.deep.equal([]);
      expect(await codesOf(at(3, large))).to.deep.equal(['params: large_box']);
      expect(await codesOf(at(4, away))).to.deep.equal(['inputs.receptor.file: receptor_outside_box']);
      expect(await codesOf({ ...at(5, large), engine: 'gnina' })).to.deep.equal([]);
      const headers = { 'idempotency-key': 'a batch with warnings' };
      const batch = {
        engine: 'vina',
        inputs: { receptor, ligand },
        items: [at(6, BOX), at(7, { ...large, center_x: -500 })],
      };
      const asked = [
        await member.post<Batch>('/job-batches', batch, headers),
        await member.post<Batch>('/job-batches', batch, headers),
      ];
      expect(asked.map(({ status }) => status)).to.deep.equal([201, 200]);
      const codes = asked.map(({ body }) =>
        body.items.map(({ warnings }) => warnings?.map(({ code }) => code).join()),
      );
      expect(codes).to.deep.equal([
        [undefined, 'large_box,receptor_outside_box'],
        [undefined, undefined],
      ]);
    });

    it('that are named without contents are as ever', async () => {
      const inputs = { receptor: '1iep_receptor.pdbqt', ligand: '1iep_ligand.pdbqt', flex: 'flex.pdbqt' };
      const { status, body } = await submit(inputs, { params: { size_x: -1 } });
      expect([status, body.inputs]).to.deep.equal([201, inputs]);
    });
  });

  describe('that jobs made', () => {
    const running = async (inputs: object = { at: performance.now() }): Promise<string> => {
      const { body } = await submit(inputs);
      await worker.patch(`/jobs/${body.job_id}`, { status: 'RUNNING' });
      return body.job_id;
    };
    const read = (path: string) =>
      fetchBytes(`${service.url}${path}`, { token: deployment.token('alpha', ['member']) });

    it('are artifacts whose bytes can be read', async () => {
      const job = await running();
      const file = await send('the log\r\n', 'vina.log');
      const body = { name: 'docking.log', purpose: 'log', file, content_type: 'text/plain' };
      const { status, body: artifact } = await worker.post<Artifact>(`/jobs/${job}/artifacts`, body);
      expect(status).to.equal(201);
      expect(artifact).to.include({
        uri: `mad:${file}`,
        size_bytes: 9,
        checksum: file,
        content_type: 'text/plain',
      });
      const content = await read(`/jobs/${job}/artifacts/${artifact.artifact_id}/content`);
      expect([content.status, content.bytes.toString()]).to.deep.equal([200, 'the log\r\n']);
      expect(Object.fromEntries(content.headers)).to.include({
        'content-type': 'text/plain',
        'content-disposition': `attachment; filename="docking.log"; filename*=UTF-8''docking.log`,
      });
    });

    it('are recorded once when a worker asks twice, and never in place of others', async () => {
      const job = await running();
      const file = await send('poses');
      const path = `/jobs/${job}/artifacts`;
      const kept = { name: 'poses.pdbqt', purpose: 'poses', file };
      const elsewhere = { name: 'log', purpose: 'log', uri: 's3://bucket/log' };
      for (const body of [kept, elsewhere]) {
        const [first, again] = [
          await worker.post<Artifact>(path, body),
          await worker.post<Artifact>(path, body),
        ];
        expect([first.status, again.status]).to.deep.equal([201, 200]);
        expect(again.body).to.deep.equal(first.body);
      }
      for (const body of [
        { ...kept, file: await send('other poses') },
        { ...elsewhere, uri: 's3://bucket/other' },
      ]) {
        const { status, body: problem } = await worker.post<Problem>(path, body);
        expect([status, problem.code]).to.deep.equal([409, 'artifact_already_exists']);
      }
      const { body: page } = await member.get<Page<Artifact>>(path);
      expect(page.items).to.have.length(2);
    });

    it('are not read where the service does not keep them, or there are none', async () => {
      const job = await running();
      const uri = { name: 'poses.sdf', purpose: 'poses', uri: 's3://bucket/poses.sdf' };
      const { body } = await worker.post<Artifact>(`/jobs/${job}/artifacts`, uri);
      const other = await running();
      for (const [of, artifact, status, code] of [
        [job, body.artifact_id, 409, 'artifact_elsewhere'],
        [other, body.artifact_id, 404, 'file_not_found'],
        [job, '00000000-0000-4000-8000-000000000000', 404, 'file_not_found'],
        ['00000000-0000-4000-8000-000000000000', body.artifact_id, 404, 'job_not_found'],
      ] as const) {
        const reply = await member.get<Problem>(`/jobs/${of}/artifacts/${artifact}/content`);
        expect([reply.status, reply.body.code]).to.deep.equal([status, code]);
      }
    });

    it('name one place, which is the organization’s', async () => {
      const job = await running();
      const file = await send('x');
      const base = { name: 'n', purpose: 'p' };
      for (const [body, path] of [
        [base, 'uri'],
        [{ ...base, file, uri: 's3://a/b' }, 'uri'],
        [{ ...base, file, size_bytes: 1 }, 'size_bytes'],
        [{ ...base, file, checksum: file }, 'checksum'],
        [{ ...base, file: file.slice(7) }, 'file'],
        [{ ...base, file: `sha256:${sha256Of('nobody has it')}` }, 'file'],
        [{ ...base, uri: file }, 'uri'],
      ] as const) {
        const reply = await worker.post<Problem>(`/jobs/${job}/artifacts`, body);
        expect([reply.status, reply.body.errors?.map((issue) => issue.path)]).to.deep.equal([422, [path]]);
      }
    });

    it('are those of the job that answered, for a job from the cache', async () => {
      const inputs = { ligand: { file: await send('cached ligand') } };
      const job = await running(inputs);
      const log = { name: 'log', purpose: 'log', file: await send('cached log') };
      const { body: artifact } = await worker.post<Artifact>(`/jobs/${job}/artifacts`, log);
      await worker.put(`/jobs/${job}/task-results/t`, { service_name: 'vina', result_data: {} });
      await worker.patch(`/jobs/${job}`, { status: 'COMPLETED' });
      const { body: hit } = await member.post<Job>('/jobs?use_cache=true', { engine: 'vina', inputs });
      const content = await read(`/jobs/${hit.job_id}/artifacts/${artifact.artifact_id}/content`);
      expect(content.bytes.toString()).to.equal('cached log');
    });
  });
});
