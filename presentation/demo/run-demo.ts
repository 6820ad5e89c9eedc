import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { ApiClient } from '../rest/api-client.ts';
import type { WorkFile } from '../worker/organization-work.ts';
import type { VinaEngine } from '../worker/vina-engine.ts';
import { DemoError } from './demo-error.ts';
import { liveWorker, replayingWorker, type DemoWorker } from './demo-worker.ts';
import { demoPerson, enrol, logIn, type Person } from './demo-people.ts';
import { TABLES, type LookDirectly } from './direct-look.ts';
import {
  QUICK_SEARCH,
  readImatinibDocking,
  RECORDED_SEARCH,
  type ImatinibDocking,
} from './imatinib-docking.ts';
import { Lab, type DockingInputs, type InputFile } from './lab.ts';
import type { Narration } from './narration.ts';
import { replies, type Job } from './replies.ts';

/** The service that the demo uses, and what an operator has beside it. */
export interface DemoHost {
  readonly url: string;
  readonly operatorToken: string;
  readonly lookDirectly: LookDirectly;
  /** Null: it is not on this machine. */
  readonly engine: VinaEngine | null;
}

/** A machine that is slow and busy needs minutes. */
const DOCKING_MS = 600_000;
const POLL_MS = 500;

const OURS = { org_id: 'demo-abl-lab', name: 'Abl Kinase Lab (demo)' };
const THEIRS = { org_id: 'demo-src-lab', name: 'Src Kinase Lab (demo)' };

/**
 * Shows the product on real input, as REST clients use it: dock, hit the cache, and keep two organizations apart. It may be
 * run again on the same deployment.
 *
 * @returns what leads to the docked job in the console, after the service's URL
 * @throws {DemoError} when the service does not answer as it should
 */
export const runDemo = async (host: DemoHost, say: Narration): Promise<string> => {
  const demo = new Demo(host, say, await readImatinibDocking());
  await demo.makeOrganizations();
  const [chemist, worker, stranger] = await demo.logIn();
  const inputs = await demo.upload(chemist);
  const job = await demo.submit(chemist, inputs);
  await demo.work(worker, chemist, job);
  const cached = await demo.resubmit(chemist, job, inputs);
  const replayed = await demo.submitTwice(chemist, inputs);
  const theirs = await demo.submitElsewhere(stranger, job);
  await demo.showSeparation([job, cached, replayed], theirs);
  await demo.trespass(stranger, job);
  await demo.showReadiness();
  return `/console/o/${OURS.org_id}/jobs/${job.job_id}#member=${chemist.token}`;
};

class Demo {
  readonly #host: DemoHost;
  readonly #say: Narration;
  readonly #docking: ImatinibDocking;
  readonly #api: ApiClient;
  readonly #worker: DemoWorker;
  readonly #search: Readonly<Record<string, number>>;

  constructor(host: DemoHost, say: Narration, docking: ImatinibDocking) {
    this.#host = host;
    this.#say = say;
    this.#docking = docking;
    this.#api = new ApiClient(host.url);
    const { engine } = host;
    this.#worker = engine === null ? replayingWorker(this.#api, docking) : liveWorker(this.#api, engine, say);
    this.#search = engine === null ? RECORDED_SEARCH : QUICK_SEARCH;
  }

  async makeOrganizations(): Promise<void> {
    this.#say.step('The operator makes two organizations');
    for (const organization of [OURS, THEIRS]) {
      const { status } = await this.#api.call({
        method: 'POST',
        path: '/organizations',
        token: this.#host.operatorToken,
        body: organization,
        expect: [201, 409],
        reply: replies.anything,
      });
      const outcome = status === 201 ? '201, new' : '409, there from an earlier run';
      this.#say.line(`POST /organizations ${organization.org_id}: ${outcome}`);
    }
  }

  async logIn(): Promise<[chemist: Lab, worker: string, stranger: Lab]> {
    this.#say.step('The operator makes people members; they choose a password and log in');
    const admit = async (person: Person): Promise<string> => {
      const password = await enrol(this.#api, this.#host.operatorToken, person);
      const { access_token, expires_in } = await logIn(this.#api, person, password);
      const { email, organizationId, role } = person;
      this.#say.line(
        `POST /auth/token ${email}: a token as ${role} of ${organizationId}, for ${expires_in} s`,
      );
      return access_token;
    };
    return [
      new Lab(this.#api, OURS.org_id, await admit(demoPerson(OURS.org_id, 'member'))),
      await admit(demoPerson(OURS.org_id, 'worker')),
      new Lab(this.#api, THEIRS.org_id, await admit(demoPerson(THEIRS.org_id, 'member'))),
    ];
  }

  async upload(chemist: Lab): Promise<DockingInputs> {
    this.#say.step('A chemist uploads the receptor and the ligand (PDB 1IEP)');
    return this.#uploadInputs(chemist);
  }

  async #uploadInputs(lab: Lab): Promise<DockingInputs> {
    const { receptor, ligand } = this.#docking;
    return { receptor: await this.#uploadInput(lab, receptor), ligand: await this.#uploadInput(lab, ligand) };
  }

  async #uploadInput(lab: Lab, input: WorkFile): Promise<InputFile> {
    const { status, body: file } = await lab.upload(input);
    const outcome = status === 201 ? '201' : '200, there from an earlier run';
    this.#say.line(`POST ${lab.pathOf('/files')}: ${outcome}, ${input.name}, ${file.size_bytes} bytes`);
    this.#say.line(`  sha256:${file.sha256}`);
    for (const { severity, message } of file.findings) this.#say.line(`  ${severity}: ${message}`);
    return { file: `sha256:${file.sha256}`, name: input.name };
  }

  async submit(chemist: Lab, inputs: DockingInputs): Promise<Job> {
    this.#say.step(
      'The chemist submits a docking of imatinib into the c-Abl kinase, by the hashes of the files',
    );
    const { body: job } = await chemist.submit(this.#submission(inputs));
    assert(job.status === 'PENDING', `the job is ${job.status}`);
    this.#say.line(`POST /organizations/${OURS.org_id}/jobs: 201, job ${job.job_id}, ${job.status}`);
    this.#say.line(`parameters ${JSON.stringify(this.#search)}, and the box`);
    this.#say.line(`input signature ${job.input_signature}`);
    const { database } = await this.#organization(OURS.org_id);
    assert(database?.state === 'ready', 'the organization has no database after its first request');
    this.#say.line(
      `results database ${database.name}: ${database.state}, schema version ${database.schema_version} (the service makes it at first use)`,
    );
    return job;
  }

  async work(token: string, chemist: Lab, job: Job): Promise<void> {
    this.#say.step(this.#worker.says);
    await this.#worker.work(token, job.job_id, () => this.#untilEnded(chemist, job));
    const { status, error } = await chemist.get(`/jobs/${job.job_id}`, replies.job);
    assert(status === 'COMPLETED', `the docking ended ${status}: ${error}`);
    this.#say.line(`POST /jobs/claim, POST /jobs/{job_id}/complete: ${status}`);
    await this.#showPoses(chemist, job);
  }

  /** Says how far the job is, whenever a heartbeat told more. */
  async #untilEnded(chemist: Lab, job: Job): Promise<void> {
    let told = '';
    for (
      const deadline = performance.now() + DOCKING_MS;
      performance.now() < deadline;
      await sleep(POLL_MS)
    ) {
      const { status, progress } = await chemist.get(`/jobs/${job.job_id}`, replies.job);
      if (status !== 'PENDING' && status !== 'RUNNING') return;
      const percent = progress?.fraction === undefined ? '' : ` ${Math.floor(progress.fraction * 100)} %`;
      const now = `${progress?.message ?? ''}${percent}`;
      if (now !== told && now !== '') this.#say.line(now);
      told = now;
    }
    throw new DemoError(`the docking takes longer than ${DOCKING_MS / 1000} s`);
  }

  async #showPoses(chemist: Lab, job: Job): Promise<void> {
    const [result] = await chemist.results(job);
    assert(result !== undefined && result.poses.length > 0, 'the job has no poses');
    this.#say.line(
      `GET …/task-results: ${result.poses.length} poses, seed ${result.result_data.seed ?? 'unknown'}`,
    );
    this.#say.table([
      ['pose', 'affinity kcal/mol', 'rmsd l.b. Å', 'rmsd u.b. Å'],
      ...result.poses.map((pose) => [
        pose.rank,
        pose.affinity_kcal_mol,
        pose.rmsd_lower_bound,
        pose.rmsd_upper_bound,
      ]),
    ]);
    const { correction } = result.result_data;
    if (correction !== undefined)
      this.#say.line(
        `(Vina 1.2.3 itself says ${correction.reported_affinity_kcal_mol}: it takes the unbound energy from its worst pose. docs/worker.md)`,
      );
    for (const doubt of result.suspect) this.#say.line(`doubted: ${doubt}`);
    const artifacts = await chemist.get(`/jobs/${job.job_id}/artifacts`, replies.artifacts);
    for (const { name, size_bytes, checksum } of artifacts.items)
      this.#say.line(`GET …/artifacts: ${name}, ${size_bytes} bytes, ${checksum}`);
  }

  async resubmit(chemist: Lab, first: Job, inputs: DockingInputs): Promise<Job> {
    this.#say.step('The same docking again, and the cache may answer');
    const { body: job } = await chemist.submit(this.#submission(inputs), { query: '?use_cache=true' });
    assert(job.cache.hit && job.status === 'COMPLETED', 'the cache did not answer');
    assert(job.cache.canonical_job_id === first.job_id, 'the cache answered with another job');
    this.#say.line(`POST …/jobs?use_cache=true: job ${job.job_id}, born ${job.status}, cache hit`);
    this.#say.line(`its results are those of job ${job.cache.canonical_job_id}`);
    const [expected, found] = await Promise.all([chemist.results(first), chemist.results(job)]);
    assert(expected.length === 1 && isDeepStrictEqual(found, expected), 'the task results differ');
    this.#say.line(`GET …/task-results of both: the same ${found.length}`);
    const signature = await chemist.get(`/input-signatures/${job.input_signature}`, replies.signature);
    this.#say.line(`GET …/input-signatures/{signature}: ${signature.hit_count} hit(s) so far`);
    return job;
  }

  async submitTwice(chemist: Lab, inputs: DockingInputs): Promise<Job> {
    const headers = { 'Idempotency-Key': `demo-${randomUUID()}` };
    this.#say.step('A submission sent twice under one Idempotency-Key is one job');
    const first = await chemist.submit(this.#submission(inputs), { headers, expect: [201] });
    const second = await chemist.submit(this.#submission(inputs), { headers, expect: [200] });
    const { job_id } = second.body;
    assert(job_id === first.body.job_id, 'the second one made another job');
    this.#say.line(`first: ${first.status}, job ${first.body.job_id}`);
    this.#say.line(`again: ${second.status}, job ${job_id}`);
    const { status } = await chemist.cancel(first.body);
    this.#say.line(`PATCH …/jobs/{job_id}: ${status}`);
    return first.body;
  }

  async submitElsewhere(stranger: Lab, ours: Job): Promise<Job> {
    this.#say.step('The other organization submits the same docking, and the cache may answer');
    const inputs = await this.#uploadInputs(stranger);
    const { body: job } = await stranger.submit(this.#submission(inputs), { query: '?use_cache=true' });
    assert(job.input_signature === ours.input_signature, 'the same docking has another signature');
    assert(!job.cache.hit, 'one organization got the results of another');
    this.#say.line(
      `POST /organizations/${THEIRS.org_id}/jobs?use_cache=true: job ${job.job_id}, ${job.status}, no hit`,
    );
    this.#say.line('the signature is the same, but results never cross organizations');
    return job;
  }

  async showSeparation(ours: readonly Job[], theirs: Job): Promise<void> {
    this.#say.step('A look into both databases, past the service');
    const jobIds = [...ours, theirs].map(({ job_id }) => job_id);
    const [here, there] = await Promise.all([
      this.#host.lookDirectly(OURS.org_id, jobIds),
      this.#host.lookDirectly(THEIRS.org_id, jobIds),
    ]);
    assert(here.database !== there.database, 'both organizations have one database');
    assert(
      here.found.length === ours.length && !here.found.includes(theirs.job_id),
      'jobs are in the wrong place',
    );
    assert(isDeepStrictEqual(there.found, [theirs.job_id]), 'jobs are in the wrong place');
    this.#say.table([
      ['database', ...TABLES, 'jobs of this run'],
      ...[here, there].map(({ database, counts, found }) => [
        database,
        ...TABLES.map((table) => counts[table]),
        `${found.length} of ${jobIds.length}`,
      ]),
    ]);
    this.#say.line('(Rows of earlier runs are counted as well.)');
  }

  async trespass(stranger: Lab, job: Job): Promise<void> {
    this.#say.step(`A token of ${THEIRS.org_id} on the path of ${OURS.org_id}`);
    const path = `/organizations/${OURS.org_id}/jobs/${job.job_id}`;
    const { status, body } = await stranger.trespass(path);
    assert(body.code === 'organization_access_denied', `the code is ${body.code}`);
    this.#say.line(`GET ${path}: ${status} ${body.code}`);
  }

  async showReadiness(): Promise<void> {
    this.#say.step('Readiness');
    const { status, body } = await this.#api.call({
      method: 'GET',
      path: '/ready',
      token: this.#host.operatorToken,
      expect: [200],
      reply: replies.anything,
    });
    this.#say.line(`GET /ready: ${status}`);
    for (const line of JSON.stringify(body, null, 2).split('\n')) this.#say.line(line);
  }

  #submission(inputs: DockingInputs): object {
    const params = { ...this.#docking.box, ...this.#search };
    // Before what an earlier run may have left.
    return { engine: 'vina', inputs, params, priority: 100 };
  }

  async #organization(organizationId: string) {
    const path = `/organizations/${organizationId}`;
    const token = this.#host.operatorToken;
    return (await this.#api.call({ method: 'GET', path, token, expect: [200], reply: replies.organization }))
      .body;
  }
}

function assert(condition: boolean, failure: string): asserts condition {
  if (!condition) throw new DemoError(failure);
}
