import { Agent } from 'node:http';
import { expect } from 'chai';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import { HttpService } from '../support/http-service.ts';
import { Random } from '../support/random.ts';
import { send, type Method } from '../support/send.ts';

/** The whole measure is 100 000: about six minutes on two cores. */
const REQUESTS = Number(process.env['TEST_LEAK_REQUESTS'] ?? 2000);
/** Given, the same requests are drawn again. */
const SEED = Number(process.env['TEST_LEAK_SEED'] ?? Date.now() % 4_294_967_296);
const AT_ONCE = 24;
const ORGANIZATIONS = ['alpha', 'beta', 'gamma'] as const;
type Name = (typeof ORGANIZATIONS)[number];
const ROLES = ['org_admin', 'member', 'worker'] as const;
const UUIDS = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;
const MARKER = /leak-(alpha|beta|gamma)-/g;
/** Specifications that every organization submits alike: the same signature in each database. */
const COMMON = Array.from({ length: 5 }, (_, n) => ({ engine: 'vina', inputs: { ligand: `common ${n}` } }));

interface Asked {
  readonly method: Method;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: unknown;
  /** Whose token it carries; null: nobody's, or a platform administrator's. */
  readonly own: Name | null;
  /** What a platform administrator may read of every organization. */
  readonly isOversight: boolean;
  /** An organization that path or header name is not the token's. */
  readonly isForeign: boolean;
}

/** What was ever seen, by the organization whose token saw it first. */
class Sightings {
  readonly owners = new Map<string, Name>();
  readonly jobs: Record<Name, string[]> = { alpha: [], beta: [], gamma: [] };
  readonly cursors: string[] = [];
  readonly signatures: string[] = ['0'.repeat(64)];

  /** What in this reply is somebody else's; the request's own words do not count. */
  leaksIn(asked: Asked, text: string): readonly string[] {
    const said = `${asked.path} ${JSON.stringify(asked.headers)} ${JSON.stringify(asked.body)}`;
    const leaks: string[] = [];
    if (asked.isOversight) return leaks;
    for (const [found, name] of text.matchAll(MARKER)) if (name !== asked.own) leaks.push(found);
    for (const [id] of text.matchAll(UUIDS)) {
      if (said.includes(id)) continue;
      const owner = this.owners.get(id);
      if (owner === undefined && asked.own !== null) this.owners.set(id, asked.own);
      else if (owner !== undefined && owner !== asked.own) leaks.push(id);
    }
    return leaks;
  }

  learn(asked: Asked, status: number, text: string): void {
    const { own, method, path } = asked;
    if (own === null || status >= 300) return;
    const body: { job_id?: string; input_signature?: string; next_cursor?: string | null } = JSON.parse(text);
    if (method === 'POST' && path.includes('/jobs') && body.job_id !== undefined) {
      // A replay, or a race of two with one key, answers with a job that is known.
      if (!this.jobs[own].includes(body.job_id)) this.jobs[own].push(body.job_id);
      if (body.input_signature !== undefined && this.signatures.length < 500)
        this.signatures.push(body.input_signature);
    }
    if (typeof body.next_cursor === 'string') this.cursors.push(body.next_cursor);
    if (this.cursors.length > 200) this.cursors.shift();
  }
}

describe('Random requests of three organizations', function () {
  this.timeout(60_000 + REQUESTS * 40);
  let deployment: Deployment;
  let service: HttpService;
  let agent: Agent;
  const random = new Random(SEED);
  const seen = new Sightings();

  before(async () => {
    deployment = await createDeployment({
      // Room for two pools and five connections: the three organizations push each other out all the time.
      DB_MAX_POOLS: '2',
      DB_CONNECTION_BUDGET: '5',
      DB_ORG_POOL_SIZE: '2',
      DB_ORG_MAX_OVERFLOW: '1',
      DB_ACQUIRE_TIMEOUT_MS: '30000',
    });
    await deployment.register(...ORGANIZATIONS);
    service = await HttpService.start(deployment);
    agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
    drawTokens();
  });
  after(async () => {
    agent.destroy();
    await service.close();
    await deployment.dispose();
  });

  const tokens: { readonly text: string; readonly own: Name | null }[] = [];
  const drawTokens = (): void => {
    for (const own of ORGANIZATIONS) {
      for (const roles of [[...ROLES], [...ROLES], ['member'], ['worker'], ['org_admin'], ['platform_admin']])
        tokens.push({ own, text: deployment.token(own, roles) });
    }
    tokens.push({ own: null, text: deployment.token(null, ['platform_admin', ...ROLES]) });
    tokens.push({ own: null, text: `${deployment.token('alpha', ROLES)}x` });
  };

  const marker = (own: Name | null): string => `leak-${own ?? 'nobody'}-${random.below(1000)}`;
  const jobId = (own: Name | null): string => {
    const of = random.chance(0.7) && own !== null ? own : random.pick(ORGANIZATIONS);
    return seen.jobs[of].length === 0
      ? `00000000-0000-4000-8000-${String(random.below(1e9)).padStart(12, '0')}`
      : random.pick(seen.jobs[of]);
  };
  const query = (...parts: readonly string[]): string => {
    const drawn = parts.filter(() => random.chance(0.4));
    if (seen.cursors.length > 0 && random.chance(0.3)) drawn.push(`cursor=${random.pick(seen.cursors)}`);
    return drawn.length === 0 ? '' : `?${drawn.join('&')}`;
  };

  /** Method, what follows the organization in the path, and body. */
  const drawAct = (own: Name | null): readonly [Method, string, unknown?] => {
    const text = marker(own);
    const job = `/jobs/${jobId(own)}`;
    const submission = random.chance(0.4) ? random.pick(COMMON) : { engine: 'vina', inputs: { text } };
    return random.pick<() => readonly [Method, string, unknown?]>([
      () => ['POST', `/jobs${random.chance(0.5) ? '?use_cache=true' : ''}`, submission],
      () => ['GET', job],
      () => ['GET', job],
      () => ['GET', `/jobs${query('limit=10', 'status=COMPLETED', 'status=PENDING')}`],
      () => ['PATCH', job, { status: random.pick(['RUNNING', 'COMPLETED', 'FAILED']), error: text }],
      () => ['PUT', `${job}/task-results/docking`, { service_name: text, result_data: { text } }],
      () => ['GET', `${job}/task-results`],
      () => ['POST', `${job}/artifacts`, { name: text, purpose: 'poses', uri: `s3://${text}` }],
      () => ['GET', `${job}/artifacts`],
      () => ['GET', `/input-signatures/${random.pick(seen.signatures)}`],
      () => ['PUT', '/settings', { settings: { text } }],
      () => ['PATCH', '/settings', { settings: { [`key${random.below(5)}`]: text } }],
      () => ['GET', '/settings'],
      () => ['GET', `/audit-logs${query('limit=10')}`],
      () => ['PATCH', '', { name: text }],
      () => ['GET', ''],
    ])();
  };

  const draw = (): Asked => {
    const { own, text: token } = random.pick(tokens);
    const [method, rest, body] = drawAct(own);
    const named = random.chance(0.8) ? own : random.pick([...ORGANIZATIONS, 'ghost']);
    const byClaim = rest.startsWith('/jobs') && random.chance(0.4);
    const inPath = byClaim ? null : (named ?? random.pick(ORGANIZATIONS));
    const inHeader = random.chance(0.2)
      ? random.pick([...ORGANIZATIONS, own ?? 'alpha', own ?? 'beta'])
      : null;
    const headers: Record<string, string> = {
      ...(random.chance(0.98) && { authorization: `Bearer ${token}` }),
      ...(inHeader !== null && { [random.pick(['X-Org-Id', 'x-org-id', 'X-ORG-ID'])]: inHeader }),
      ...(method === 'POST' && random.chance(0.3) && { 'idempotency-key': `key-${random.below(40)}` }),
      ...(random.chance(0.1) && { 'x-forwarded-host': random.pick(ORGANIZATIONS) }),
      ...(random.chance(0.1) && { 'x-original-url': `/organizations/${random.pick(ORGANIZATIONS)}/jobs` }),
      ...(random.chance(0.1) && { cookie: `org_id=${random.pick(ORGANIZATIONS)}` }),
      ...(random.chance(0.1) && {
        'x-http-method-override': 'GET',
        'x-tenant-id': random.pick(ORGANIZATIONS),
      }),
    };
    const isSent = headers['authorization'] !== undefined;
    const isForeign =
      isSent &&
      own !== null &&
      ((inPath !== null && inPath !== own) || (inHeader !== null && inHeader !== own));
    const path = `${inPath === null ? '' : `/organizations/${inPath}`}${rest}`;
    const isOversight = own === null && !/^\/(?:jobs|settings|input-signatures)/.test(rest);
    return {
      method,
      path,
      headers,
      own: isSent ? own : null,
      isForeign,
      isOversight,
      ...(body !== undefined && { body }),
    };
  };

  it('never show one row of another organization', async () => {
    const statuses = new Map<number, number>();
    const answer = async (asked: Asked) => {
      const { method, path, headers, body } = asked;
      const { status, text } = await send(service.url, method, path, { headers, body }, agent);
      return { asked, status, text };
    };
    for (let sent = 0; sent < REQUESTS; sent += AT_ONCE) {
      // Drawn together and learnt from in their order: chance, not the time that each takes, decides what follows.
      const wave = Array.from({ length: AT_ONCE }, draw);
      for (const { asked, status, text } of await Promise.all(wave.map(answer))) {
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        const { method, path, headers, isForeign } = asked;
        const what = `seed ${SEED}: ${method} ${path} ${JSON.stringify(headers)} → ${status} ${text}`;
        expect(seen.leaksIn(asked, text), what).to.deep.equal([]);
        expect(status, what).to.be.below(500);
        if (isForeign) expect(status, what).to.equal(403);
        seen.learn(asked, status, text);
      }
    }

    // It means something only if much was served, refused and pushed out.
    const count = (status: number): number => statuses.get(status) ?? 0;
    const shown = `seed ${SEED}: ${JSON.stringify([...statuses])}`;
    for (const status of [200, 201, 403, 404]) expect(count(status), shown).to.be.above(REQUESTS / 100);
    const { removals } = service.container.get(TOKENS.connectionManager).counts();
    expect(removals.evict, 'evictions').to.be.above(REQUESTS / 200);

    for (const own of ORGANIZATIONS) {
      const rows = await deployment.administer<{ job_id: string; text: string | null }>(
        `select job_id, substring(coalesce(inputs ->> 'text', '') || coalesce(error, '') from 'leak-[a-z]*') as text from docking_jobs
         union all select job_id, substring(service_name from 'leak-[a-z]*') from task_results
         union all select job_id, substring(name from 'leak-[a-z]*') from artifacts`,
        [],
        deployment.databaseName(own),
      );
      expect(new Set(rows.map(({ job_id: id }) => id))).to.deep.equal(new Set(seen.jobs[own]));
      const texts = new Set(rows.flatMap(({ text }) => text ?? []));
      expect(texts).to.deep.equal(new Set([`leak-${own}`]));
    }
  });
});
