import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { ApiClient, problem } from '../rest/api-client.ts';
import { DemoError } from './demo-error.ts';
import { demoPerson, enrol, logIn, type Person } from './demo-people.ts';
import { TABLES, type LookDirectly } from './direct-look.ts';
import { readImatinibDocking, type Docking } from './imatinib-docking.ts';
import type { Narration } from './narration.ts';
import { replies, type Job } from './replies.ts';

/** The service that the demo uses, and what an operator has beside it. */
export interface DemoHost {
  readonly url: string;
  readonly operatorToken: string;
  readonly lookDirectly: LookDirectly;
}

const OURS = { org_id: 'demo-abl-lab', name: 'Abl Kinase Lab (demo)' };
const THEIRS = { org_id: 'demo-src-lab', name: 'Src Kinase Lab (demo)' };

/**
 * Shows the product on real input, as REST clients use it: dock, hit the cache, and keep two organizations apart. It may be
 * run again on the same deployment.
 *
 * @throws {DemoError} when the service does not answer as it should
 */
export const runDemo = async (host: DemoHost, say: Narration): Promise<void> => {
  const demo = new Demo(host, say, await readImatinibDocking());
  await demo.makeOrganizations();
  const [chemist, worker, stranger] = await demo.logIn();
  const job = await demo.submit(chemist);
  await demo.work(worker, job);
  const cached = await demo.resubmit(chemist, job);
  const replayed = await demo.submitTwice(chemist);
  const theirs = await demo.submitElsewhere(stranger, job);
  await demo.showSeparation([job, cached, replayed], theirs);
  await demo.trespass(stranger, job);
  await demo.showReadiness();
};

class Demo {
  readonly #host: DemoHost;
  readonly #say: Narration;
  readonly #docking: Docking;
  readonly #api: ApiClient;

  constructor(host: DemoHost, say: Narration, docking: Docking) {
    this.#host = host;
    this.#say = say;
    this.#docking = docking;
    this.#api = new ApiClient(host.url);
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

  async logIn(): Promise<[string, string, string]> {
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
      await admit(demoPerson(OURS.org_id, 'member')),
      await admit(demoPerson(OURS.org_id, 'worker')),
      await admit(demoPerson(THEIRS.org_id, 'member')),
    ];
  }

  async submit(token: string): Promise<Job> {
    this.#say.step('A chemist submits a docking: imatinib into the c-Abl kinase (PDB 1IEP)');
    const { body: job } = await this.#submit(token, OURS.org_id, {});
    assert(job.status === 'PENDING', `the job is ${job.status}`);
    this.#say.line(`POST /organizations/${OURS.org_id}/jobs: 201, job ${job.job_id}, ${job.status}`);
    this.#say.line(`input signature ${job.input_signature}`);
    const { database } = await this.#organization(OURS.org_id);
    assert(database?.state === 'ready', 'the organization has no database after its first request');
    this.#say.line(
      `results database ${database.name}: ${database.state}, schema version ${database.schema_version} (the service makes it at first use)`,
    );
    return job;
  }

  async work(token: string, job: Job): Promise<void> {
    const path = `/organizations/${OURS.org_id}/jobs/${job.job_id}`;
    const { taskResult, artifacts, poses } = this.#docking;
    this.#say.step('A worker docks, and hands in what AutoDock Vina found');
    await this.#move(token, path, 'RUNNING');
    const put = await this.#api.call({
      method: 'PUT',
      path: `${path}/task-results/docking`,
      token,
      body: taskResult,
      expect: [201],
      reply: replies.anything,
    });
    this.#say.line(`PUT …/task-results/docking: ${put.status}, ${poses.length} poses`);
    this.#say.table([
      ['pose', 'affinity kcal/mol', 'rmsd l.b. Å', 'rmsd u.b. Å'],
      ...poses.map((pose) => [pose.pose, pose.affinityKcalMol, pose.rmsdLowerBound, pose.rmsdUpperBound]),
    ]);
    for (const artifact of artifacts) {
      const { name, size_bytes, checksum } = artifact;
      await this.#api.call({
        method: 'POST',
        path: `${path}/artifacts`,
        token,
        body: artifact,
        expect: [201],
        reply: replies.anything,
      });
      this.#say.line(`POST …/artifacts: 201, ${name}, ${size_bytes} bytes, ${checksum}`);
    }
    await this.#move(token, path, 'COMPLETED');
  }

  async resubmit(token: string, first: Job): Promise<Job> {
    this.#say.step('The same docking again, and the cache may answer');
    const { body: job } = await this.#submit(token, OURS.org_id, { query: '?use_cache=true' });
    assert(job.cache.hit && job.status === 'COMPLETED', 'the cache did not answer');
    assert(job.cache.canonical_job_id === first.job_id, 'the cache answered with another job');
    this.#say.line(`POST …/jobs?use_cache=true: job ${job.job_id}, born ${job.status}, cache hit`);
    this.#say.line(`its results are those of job ${job.cache.canonical_job_id}`);
    const [expected, found] = await Promise.all([this.#results(token, first), this.#results(token, job)]);
    assert(expected.length === 1 && isDeepStrictEqual(found, expected), 'the task results differ');
    this.#say.line(`GET …/task-results of both: the same ${found.length}`);
    const { body: signature } = await this.#api.call({
      method: 'GET',
      path: `/organizations/${OURS.org_id}/input-signatures/${job.input_signature}`,
      token,
      expect: [200],
      reply: replies.signature,
    });
    this.#say.line(`GET …/input-signatures/{signature}: ${signature.hit_count} hit(s) so far`);
    return job;
  }

  async submitTwice(token: string): Promise<Job> {
    const headers = { 'Idempotency-Key': `demo-${randomUUID()}` };
    this.#say.step('A submission sent twice under one Idempotency-Key is one job');
    const first = await this.#submit(token, OURS.org_id, { headers, expect: [201] });
    const second = await this.#submit(token, OURS.org_id, { headers, expect: [200] });
    const { job_id } = second.body;
    assert(job_id === first.body.job_id, 'the second one made another job');
    this.#say.line(`first: ${first.status}, job ${first.body.job_id}`);
    this.#say.line(`again: ${second.status}, job ${job_id}`);
    await this.#move(token, `/organizations/${OURS.org_id}/jobs/${job_id}`, 'CANCELED');
    return first.body;
  }

  async submitElsewhere(token: string, ours: Job): Promise<Job> {
    this.#say.step('The other organization submits the same docking, and the cache may answer');
    const { body: job } = await this.#submit(token, THEIRS.org_id, { query: '?use_cache=true' });
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

  async trespass(token: string, job: Job): Promise<void> {
    this.#say.step(`A token of ${THEIRS.org_id} on the path of ${OURS.org_id}`);
    const path = `/organizations/${OURS.org_id}/jobs/${job.job_id}`;
    const { status, body } = await this.#api.call({
      method: 'GET',
      path,
      token,
      expect: [403],
      reply: problem,
    });
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

  #submit(
    token: string,
    organizationId: string,
    {
      query = '',
      headers = {},
      expect = [201],
    }: {
      query?: string;
      headers?: Readonly<Record<string, string>>;
      expect?: readonly number[];
    },
  ) {
    const path = `/organizations/${organizationId}/jobs${query}`;
    const body = this.#docking.submission;
    return this.#api.call({ method: 'POST', path, token, headers, body, expect, reply: replies.job });
  }

  async #move(token: string, path: string, status: string): Promise<void> {
    const { body } = await this.#api.call({
      method: 'PATCH',
      path,
      token,
      body: { status },
      expect: [200],
      reply: replies.job,
    });
    this.#say.line(`PATCH …/jobs/{job_id}: ${body.status}`);
  }

  async #organization(organizationId: string) {
    const path = `/organizations/${organizationId}`;
    const token = this.#host.operatorToken;
    return (await this.#api.call({ method: 'GET', path, token, expect: [200], reply: replies.organization }))
      .body;
  }

  async #results(token: string, job: Job) {
    const path = `/organizations/${OURS.org_id}/jobs/${job.job_id}/task-results`;
    return (await this.#api.call({ method: 'GET', path, token, expect: [200], reply: replies.taskResults }))
      .body.items;
  }
}

function assert(condition: boolean, failure: string): asserts condition {
  if (!condition) throw new DemoError(failure);
}
