import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { expect } from 'chai';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { captureLog, type LogEntry } from '../support/captured-log.ts';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import { rejectionOf, until } from '../support/gate.ts';
import { atom } from '../support/fakes/molecules.ts';
import { fetchBytes } from '../support/fetch-bytes.ts';
import type { Job, Page, Problem } from '../support/http-contract.ts';
import { HttpService, type Caller } from '../support/http-service.ts';

const STALL_MS = 500;
const HEADER =
  'rank,job_id,label,best_affinity_kcal_mol,pose_count,suspect,ligand_file,ligand_name,poses_artifact_id,created_at,reported_affinity_kcal_mol';
const NONE = '00000000-0000-4000-8000-000000000000';

/** A table as RFC 4180 says, read by rules of its own. */
const parseCsv = (text: string): readonly (readonly string[])[] => {
  const rows: string[][] = [[]];
  let cell = '';
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (quoted && character === '"' && text.charAt(at + 1) === '"') {
      cell += '"';
      at += 1;
    } else if (character === '"') quoted = !quoted;
    else if (!quoted && character === ',') {
      rows.at(-1)?.push(cell);
      cell = '';
    } else if (!quoted && text.startsWith('\r\n', at)) {
      rows.at(-1)?.push(cell);
      rows.push([]);
      cell = '';
      at += 1;
    } else cell += character;
  }
  expect([rows.pop(), cell, quoted], 'the end of the table').to.deep.equal([[], '', false]);
  return rows;
};

describe('Exports of a ranking over HTTP', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let service: HttpService;
  let log: readonly LogEntry[];
  let member: Caller;
  let token: string;

  before(async () => {
    deployment = await createDeployment();
    const container = deployment.start();
    log = captureLog(container);
    service = await HttpService.over(deployment, container, ['alpha', 'beta'], { stalledAnswer: STALL_MS });
    await deployment.register('alpha', 'beta');
    token = deployment.token('alpha', ['member']);
    member = service.as(token);
  });
  after(async () => {
    await service.close();
    await deployment.dispose();
  });

  const inAlpha = (sql: string, ...values: readonly unknown[]) =>
    deployment.administer(sql, values, deployment.databaseName('alpha'));
  const makeCampaign = async (): Promise<string> =>
    (await member.post<{ campaign_id: string }>('/campaigns', { name: 'exported' })).body.campaign_id;
  /** Completed jobs as their completion would leave them; the label of each is made by SQL of its number. */
  const fill = async (campaignId: string, jobs: number, label: string): Promise<void> => {
    await inAlpha(
      `insert into docking_jobs (job_id, status, engine, pipeline_version, inputs, params, priority, input_signature,
         submitted_by, campaign_id, label)
       select gen_random_uuid(), 'COMPLETED', 'vina', '1.0.0', '{"a": 1}', '{}', 0, repeat('0', 64), 'user-1', $1, ${label}
       from generate_series(1, $2::int) as number`,
      campaignId,
      jobs,
    );
    await inAlpha(
      `insert into job_scores (job_id, output_job_id, task_name, campaign_id, label, best_affinity, pose_count, top_pose,
         suspect, ligand_name, ligand_file, created_at)
       select job_id, job_id, 'docking', campaign_id, coalesce(label, ''), -random(), 1,
         '{"rank":1,"affinity_kcal_mol":-1}', '{}', label, 'sha256:' || repeat('0f', 32), created_at
       from docking_jobs where campaign_id = $1`,
      campaignId,
    );
  };
  const leases = (): number => service.container.get(TOKENS.connectionManager).counts().leases;
  const bytesUnderWay = (): number => service.container.get(TOKENS.httpDependencies).responses.totalBytes;
  const open = async (path: string, id: string): Promise<Socket> => {
    const { hostname, port } = new URL(service.url);
    const socket = connect(Number(port), hostname);
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    socket.pause();
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: x\r\nX-Request-Id: ${id}\r\nAuthorization: Bearer ${token}\r\n\r\n`,
    );
    return socket;
  };

  it('have all jobs of the ranking, across its pages, with the header and the ranks', async () => {
    const id = await makeCampaign();
    await fill(id, 1203, `'ligand ' || number`);
    await inAlpha(
      `update job_scores set suspect = '{out_of_range}' where campaign_id = $1 and label = 'ligand 7'`,
      id,
    );
    const csv = await member.get<null>(`/campaigns/${id}/results.csv`);
    expect(csv.headers['content-type']).to.equal('text/csv; charset=utf-8; header=present');
    expect(csv.headers['content-disposition']).to.equal(`attachment; filename="${id}.csv"`);
    const [header, ...rows] = parseCsv(csv.text);
    expect(header?.join(',')).to.equal(HEADER);
    expect(rows.map(([rank]) => Number(rank))).to.deep.equal(
      Array.from({ length: 1202 }, (_, index) => index + 1),
    );
    const affinities = rows.map((row) => Number(row[3]));
    expect(affinities).to.deep.equal(affinities.toSorted((one, other) => one - other));
    expect(new Set(rows.map(([, jobId]) => jobId)).size).to.equal(1202);
    const doubted = parseCsv(
      (await member.get<null>(`/campaigns/${id}/results.csv?include_suspect=true`)).text,
    );
    expect(doubted.filter((row) => row[5] === 'out_of_range').map((row) => row[2])).to.deep.equal([
      'ligand 7',
    ]);

    const lines = await member.get<null>(
      `/organizations/alpha/campaigns/${id}/results.ndjson?label_prefix=ligand 11`.replace(' ', '%20'),
    );
    expect(lines.headers['content-type']).to.equal('application/x-ndjson');
    const items = lines.text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    const listed = await member.get<Page<unknown>>(
      `/campaigns/${id}/results?label_prefix=ligand%2011&limit=200`,
    );
    expect(items).to.have.length(111);
    expect(items).to.deep.equal(listed.body.items);
  });

  it('quote what a spreadsheet would take for a formula, and what would break a line', async () => {
    const id = await makeCampaign();
    const labels: readonly (readonly [string, string])[] = [
      ['=cmd|calc', `'=cmd|calc`],
      ['+1+1', `'+1+1`],
      ['-1-1', `'-1-1`],
      ['@sum(a1)', `'@sum(a1)`],
      ['-7.5', '-7.5'],
      ['+3e2', '+3e2'],
      ['-o.pdbqt', `'-o.pdbqt`],
      ['a "quoted", one', 'a "quoted", one'],
      ['é 日本 😀', 'é 日本 😀'],
      [' =1', ' =1'],
      ['＝1＋1', `'＝1＋1`],
      ['－1', `'－1`],
    ];
    for (const [label] of labels) {
      await member.post('/jobs', { engine: 'vina', inputs: { a: label }, campaign_id: id, label });
    }
    await inAlpha(
      `insert into job_scores (job_id, output_job_id, task_name, campaign_id, label, best_affinity, pose_count, top_pose,
         suspect, ligand_name, ligand_file, created_at)
       select job_id, job_id, 'docking', campaign_id, label, -1, 1, '{}', '{}', label, 'sha256:x', created_at
       from docking_jobs where campaign_id = $1`,
      id,
    );
    const { text } = await member.get<null>(`/campaigns/${id}/results.csv`);
    const [, ...rows] = parseCsv(text);
    const shown = rows.map((row) => row[2]);
    expect(shown).to.have.members(labels.map(([, cell]) => cell));
    expect(rows.map((row) => row[7])).to.deep.equal(shown);
  });

  it('of a campaign without scores are a header, or nothing; of none they are 404', async () => {
    const id = await makeCampaign();
    expect((await member.get<null>(`/campaigns/${id}/results.csv`)).text).to.equal(`${HEADER}\r\n`);
    expect((await member.get<null>(`/campaigns/${id}/results.ndjson`)).text).to.equal('');
    const stranger = service.as(deployment.token('beta', ['member']));
    for (const form of ['csv', 'ndjson'])
      for (const [caller, asked] of [
        [member, NONE],
        [stranger, id],
      ] as const) {
        const { status, body } = await caller.get<Problem>(`/campaigns/${asked}/results.${form}`);
        expect([status, body.code]).to.deep.equal([404, 'campaign_not_found']);
      }
    const wrong = await member.get<Problem>(`/campaigns/${id}/results.csv?poses=2&limit=5`);
    expect(wrong.body.errors?.map(({ path }) => path)).to.have.members(['poses', 'limit']);
    const head = await service.call('HEAD', `/campaigns/${id}/results.csv`, { token });
    expect([head.status, head.headers['content-type']]).to.deep.equal([
      200,
      'text/csv; charset=utf-8; header=present',
    ]);
    expect([leases(), bytesUnderWay()]).to.deep.equal([0, 0]);
  });

  describe('of the best poses', () => {
    let worker: Caller;
    before(() => {
      worker = service.as(deployment.token('alpha', ['worker']));
    });

    const upload = async (text: string): Promise<string> => {
      const { status, body } = await fetchBytes(`${service.url}/files`, {
        token,
        method: 'POST',
        body: text,
      });
      expect(status).to.be.oneOf([200, 201]);
      return `sha256:${String(body?.['sha256'])}`;
    };
    const poseFile = (mark: string): string =>
      [1, 2].map((n) => `MODEL ${n}\r\nREMARK ${mark}\r\n${atom(1, [n, 2, 3])}\r\n\r\nENDMDL\r\n`).join('');
    /** A job that a worker docked, with an artifact that it says of the poses. */
    const dock = async (
      campaignId: string,
      { label, affinity, artifact, ...pose }: Readonly<Record<string, unknown>> & { affinity: number },
    ): Promise<string> => {
      const submitted = { engine: 'vina', inputs: { label }, campaign_id: campaignId, label };
      const { job_id: id } = (await member.post<Job>('/jobs', submitted)).body;
      await worker.patch(`/jobs/${id}`, { status: 'RUNNING' });
      const poses = [{ rank: 1, affinity_kcal_mol: affinity, ...pose }];
      const result = { service_name: 'vina', result_data: {}, poses };
      expect((await worker.put(`/jobs/${id}/task-results/docking`, result)).status).to.equal(201);
      if (typeof artifact === 'object') {
        const made = { name: 'poses.pdbqt', purpose: 'poses', ...artifact };
        expect((await worker.post(`/jobs/${id}/artifacts`, made)).status).to.equal(201);
      }
      expect((await worker.patch(`/jobs/${id}`, { status: 'COMPLETED' })).status).to.equal(200);
      return id;
    };

    it('have a model for each job that says whose it is, and name those that are missing', async () => {
      const id = await makeCampaign();
      const gone = await upload(poseFile('gone'));
      const jobs = [
        await dock(id, {
          label: 'é "one", 日本',
          affinity: -12.5,
          reported_affinity_kcal_mol: -14,
          artifact: { file: await upload(poseFile('first')) },
        }),
        await dock(id, { label: 'none', affinity: -11 }),
        await dock(id, { label: 'afar', affinity: -10, artifact: { uri: 's3://bucket/poses.pdbqt' } }),
        await dock(id, { label: 'gone', affinity: -9, artifact: { file: gone } }),
        await dock(id, { label: 'empty', affinity: -8, artifact: { file: await upload('no pose') } }),
        await dock(id, { label: 'last', affinity: -7, artifact: { file: await upload(poseFile('last')) } }),
      ];
      await dock(id, { label: 'doubted', affinity: -99, artifact: { file: await upload(poseFile('d')) } });
      const hash = gone.slice('sha256:'.length);
      await rm(join(deployment.filesFolder, 'alpha', hash.slice(0, 2), hash));

      const reply = await member.get<null>(`/campaigns/${id}/poses.pdbqt`);
      expect(reply.headers['content-type']).to.equal('chemical/x-pdbqt; charset=utf-8');
      expect(reply.headers['content-disposition']).to.equal(`attachment; filename="${id}.pdbqt"`);
      const lost = (rank: number, label: string, why: string): string =>
        `REMARK missing: rank ${rank}, job_id ${jobs[rank - 1]}, label ${label}: ${why}`;
      expect(reply.text.split('\n')).to.deep.equal([
        'MODEL 1',
        'REMARK rank: 1',
        `REMARK job_id: ${jobs[0]}`,
        'REMARK label: é "one", 日本',
        'REMARK affinity_kcal_mol: -12.5',
        'REMARK reported_affinity_kcal_mol: -14',
        'REMARK first',
        atom(1, [1, 2, 3]),
        'ENDMDL',
        lost(2, 'none', 'the service keeps no file of its poses'),
        lost(3, 'afar', 'the service keeps no file of its poses'),
        lost(4, 'gone', 'the file of its poses is gone'),
        lost(5, 'empty', 'its file holds no pose'),
        'MODEL 6',
        'REMARK rank: 6',
        `REMARK job_id: ${jobs[5]}`,
        'REMARK label: last',
        'REMARK affinity_kcal_mol: -7',
        'REMARK last',
        atom(1, [1, 2, 3]),
        'ENDMDL',
        '',
      ]);
      const table = parseCsv((await member.get<null>(`/campaigns/${id}/results.csv`)).text);
      expect(table.slice(1, 3).map((row) => [row[3], row[10]])).to.deep.equal([
        ['-12.5', '-14'],
        ['-11', ''],
      ]);

      const two = await member.get<null>(`/organizations/alpha/campaigns/${id}/poses.pdbqt?top=2`);
      expect(two.text.split('\n').slice(-2)).to.deep.equal([
        lost(2, 'none', 'the service keeps no file of its poses'),
        '',
      ]);
      const best = await member.get<null>(`/campaigns/${id}/poses.pdbqt?top=1&include_suspect=true`);
      expect(best.text).to.include('REMARK label: doubted');
      const prefixed = await member.get<null>(`/campaigns/${id}/poses.pdbqt?label_prefix=la&max_affinity=-6`);
      expect(prefixed.text).to.match(/^MODEL 1\n[^]*REMARK label: last\n[^]*ENDMDL\n$/);
      expect(leases()).to.equal(0);
    });

    it('have those of the canonical job where the cache answered, under the label of the hit', async () => {
      const id = await makeCampaign();
      const file = await upload(poseFile('canonical'));
      await dock(id, { label: 'same', affinity: -6, artifact: { file } });
      const { body: hit } = await member.post<Job>('/jobs?use_cache=true', {
        engine: 'vina',
        inputs: { label: 'same' },
        campaign_id: id,
        label: 'again',
      });
      expect(hit.cache.hit).to.equal(true);
      const { text } = await member.get<null>(`/campaigns/${id}/poses.pdbqt?label_prefix=again`);
      expect(text)
        .to.include(`REMARK job_id: ${hit.job_id}\nREMARK label: again`)
        .and.to.include('canonical');
    });

    it('are refused for other numbers and other campaigns, and are nothing without scores', async () => {
      const id = await makeCampaign();
      for (const [query, path] of [
        ['top=0', 'top'],
        ['top=1001', 'top'],
        ['top=10000', 'top'],
        ['top=ten', 'top'],
        ['top=', 'top'],
        ['max_affinity=NaN', 'max_affinity'],
        ['sort=label', 'sort'],
        ['poses=2', 'poses'],
      ]) {
        const { status, body } = await member.get<Problem>(`/campaigns/${id}/poses.pdbqt?${query}`);
        expect([status, body.errors?.map((error) => error.path)], query).to.deep.equal([422, [path]]);
      }
      const stranger = service.as(deployment.token('beta', ['member']));
      for (const [caller, asked] of [
        [member, NONE],
        [stranger, id],
      ] as const) {
        const { status, body } = await caller.get<Problem>(`/campaigns/${asked}/poses.pdbqt`);
        expect([status, body.code]).to.deep.equal([404, 'campaign_not_found']);
      }
      const none = await member.get<null>(`/campaigns/${id}/poses.pdbqt?top=1000`);
      expect([none.status, none.text]).to.deep.equal([200, '']);
      expect([leases(), bytesUnderWay()]).to.deep.equal([0, 0]);
    });
  });

  describe('that are large', () => {
    let id: string;
    const JOBS = 25_000;
    before(async () => {
      id = await makeCampaign();
      await fill(id, JOBS, `repeat('ä', 240) || number`);
    });

    it('hold no lease and few bytes while a client does not read, and end with it', async () => {
      const socket = await open(`/campaigns/${id}/results.csv`, 'unread');
      await until('the export stands still', () => bytesUnderWay() > 0 && leases() === 0);
      expect(bytesUnderWay()).to.be.below(2_000_000);
      await until('the export is given up', () => bytesUnderWay() === 0);
      expect(leases()).to.equal(0);
      const line = log.find(({ fields }) => 'request_id' in fields && fields.request_id === 'unread');
      expect(line?.fields).to.include({ status: 499, cut: 'stalled' });
      socket.destroy();
    });

    it('give back what they hold when the client leaves', async () => {
      const socket = await open(`/campaigns/${id}/results.ndjson`, 'left');
      await until('the export stands still', () => bytesUnderWay() > 0 && leases() === 0);
      socket.destroy();
      await until('everything is given back', () => bytesUnderWay() === 0 && leases() === 0);
    });

    const download = async (path: string, headers: Record<string, string>) => {
      const asked = request(new URL(path, service.url), {
        headers: { authorization: `Bearer ${token}`, ...headers },
      });
      asked.end();
      // Node emits the response as its argument.
      const [response] = (await once(asked, 'response')) as [IncomingMessage];
      return response;
    };

    it('come whole to a client that reads, compressed where it takes that', async () => {
      for (const compressed of [false, true]) {
        const response = await download(`/campaigns/${id}/results.csv`, {
          'accept-encoding': compressed ? 'gzip' : 'identity',
        });
        expect(response.headers['content-encoding']).to.equal(compressed ? 'gzip' : undefined);
        const text = compressed ? response.pipe(createGunzip()) : response;
        let lines = 0;
        for await (const chunk of text) for (const byte of chunk as Buffer) lines += Number(byte === 0x0a);
        expect(lines).to.equal(JOBS + 1);
      }
      expect(leases()).to.equal(0);
    });

    it('break off where the rest cannot be read: a half never looks whole', async () => {
      const response = await download(`/campaigns/${id}/results.csv`, { 'accept-encoding': 'identity' });
      await until('the export stands still', () => leases() === 0);
      await inAlpha('alter table job_scores rename to away');
      try {
        const failure = await rejectionOf(finished(response.resume()));
        expect(failure).to.be.instanceOf(Error);
        expect(response.complete).to.equal(false);
      } finally {
        await inAlpha('alter table away rename to job_scores');
      }
      await until('everything is given back', () => bytesUnderWay() === 0 && leases() === 0);
    });
  });
});
