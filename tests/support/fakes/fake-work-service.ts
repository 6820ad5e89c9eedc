import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { z } from 'zod';
import { PRINTABLE_LINES } from '../../../domain/printable.ts';

const printableLines = z.string().min(1).regex(PRINTABLE_LINES);
const leaseId = z.uuid();

/** What the service takes of a worker; anything else is a violation. */
const BODIES = {
  claim: z.strictObject({
    worker: z.strictObject({ name: z.string().min(1), version: z.string().min(1) }),
    engines: z.array(z.literal('vina')).length(1),
    limit: z.int().min(1).max(50),
    lease_seconds: z.int().min(30).max(600),
    hint_version: z.int().optional(),
  }),
  heartbeat: z.strictObject({
    leases: z
      .array(
        z.strictObject({
          job_id: z.uuid(),
          lease_id: leaseId,
          progress: z
            .strictObject({
              fraction: z.number().min(0).max(1).optional(),
              message: printableLines.optional(),
            })
            .optional(),
        }),
      )
      .min(1)
      .max(200),
  }),
  complete: z.strictObject({
    lease_id: leaseId,
    outcome: z.enum(['COMPLETED', 'FAILED']),
    error: z
      .strictObject({ code: z.string(), message: printableLines.max(4000), retryable: z.boolean() })
      .optional(),
    task_results: z.array(
      z.strictObject({
        task_name: z.string(),
        service_name: z.string(),
        service_version: z.string(),
        schema_version: z.string(),
        result_data: z.record(z.string(), z.unknown()),
        poses: z.array(
          z.strictObject({
            rank: z.int().min(1),
            affinity_kcal_mol: z.number(),
            rmsd_lower_bound: z.number(),
            rmsd_upper_bound: z.number(),
            intra: z.number().optional(),
            unbound: z.number().optional(),
            reported_affinity_kcal_mol: z.number().optional(),
          }),
        ),
        suspect: z.array(z.literal('fewer_atoms_than_input')),
      }),
    ),
    artifacts: z.array(
      z.strictObject({
        name: z.string(),
        purpose: z.string(),
        file: z.string().regex(/^sha256:[0-9a-f]{64}$/),
        content_type: z.string(),
      }),
    ),
    usage: z.strictObject({ wall_seconds: z.number().min(0), cpu_seconds: z.number().min(0).optional() }),
    log_tail: printableLines.refine((text) => Buffer.byteLength(text) <= 16 * 1024).optional(),
  }),
  release: z.strictObject({
    lease_id: leaseId,
    reason: z.enum(['shutdown', 'cannot_run']),
    delay_seconds: z.int().min(0).optional(),
  }),
};

export type FakeCompletion = z.infer<typeof BODIES.complete>;
type Route =
  'token' | 'exchange' | 'work' | 'claim' | 'heartbeat' | 'complete' | 'release' | 'download' | 'upload';

/** An answer in place of the service's own: a problem, any text, or none at all. */
export type Trouble =
  | { readonly status: number; readonly code?: string; readonly text?: string; readonly retryAfter?: number }
  | 'hang up';

interface FakeJob {
  readonly organization: string;
  readonly job: Readonly<Record<string, unknown>>;
  readonly maxRuntimeSeconds: number;
  readonly attempt: number;
  lease: string | null;
  state: 'held' | 'canceled' | 'lost';
}

/** An organization that admits no fleet, though there is a hint at its work. */
export const CLOSED = 'closed';
/** An organization whose requests of a route may have to wait: see `silence`. */
export const SILENT = 'silent';

export const sha256 = (text: string | Buffer): string => createHash('sha256').update(text).digest('hex');

/** The routes that a worker uses, over HTTP, with jobs in memory. Holds what the worker sent against the contract. */
export class FakeWorkService {
  /** Sent by the worker, and against the contract. */
  readonly violations: string[] = [];
  readonly completions: (FakeCompletion & { readonly jobId: string; readonly organization: string })[] = [];
  readonly releases: { readonly jobId: string; readonly reason: string }[] = [];
  readonly progress: { readonly fraction?: number | undefined; readonly message?: string | undefined }[] = [];
  readonly files = new Map<string, Buffer>();
  readonly calls: Record<Route, number> = {
    token: 0,
    exchange: 0,
    work: 0,
    claim: 0,
    heartbeat: 0,
    complete: 0,
    release: 0,
    download: 0,
    upload: 0,
  };
  readonly #jobs = new Map<string, FakeJob>();
  readonly #tokens = new Map<string, string | null>();
  readonly #troubles = new Map<Route, Trouble[]>();
  #silenced: Route | null = null;
  readonly #waiting: (() => void)[] = [];
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async start(): Promise<FakeWorkService> {
    const service = new FakeWorkService();
    await new Promise<void>((resolve) => {
      service.#server.listen(0, '127.0.0.1', resolve);
    });
    return service;
  }

  get url(): string {
    // A TCP server that listens has such an address.
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }

  store(text: string): string {
    this.files.set(sha256(text), Buffer.from(text));
    return `sha256:${sha256(text)}`;
  }

  /** @returns its id */
  submit(
    given: { readonly inputs: object; readonly params: object },
    {
      organization = 'acme',
      attempt = 1,
      maxRuntimeSeconds = 3600,
    }: {
      readonly organization?: string;
      readonly attempt?: number;
      readonly maxRuntimeSeconds?: number;
    } = {},
  ): string {
    const jobId = randomUUID();
    const job = { job_id: jobId, engine: 'vina', input_signature: sha256(JSON.stringify(given)), ...given };
    this.#jobs.set(jobId, { organization, attempt, maxRuntimeSeconds, job, lease: null, state: 'held' });
    return jobId;
  }

  /** What heartbeats say of the job from now on. */
  tell(jobId: string, state: FakeJob['state']): void {
    this.#job(jobId).state = state;
  }

  /** The next requests of a route get these answers, one each. */
  trouble(route: Route, ...troubles: readonly Trouble[]): void {
    this.#troubles.set(route, [...(this.#troubles.get(route) ?? []), ...troubles]);
  }

  /** Has a silent organization's requests of a route wait for an answer until `speak`. */
  silence(route: Route): void {
    this.#silenced = route;
  }

  speak(): void {
    this.#silenced = null;
    for (const answer of this.#waiting.splice(0)) answer();
  }

  revokeTokens(): void {
    this.#tokens.clear();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const { pathname } = new URL(request.url ?? '', 'http://service');
      const body = await buffer(request);
      const route = routeOf(request.method ?? '', pathname);
      this.calls[route] += 1;
      const trouble = this.#troubles.get(route)?.shift();
      if (trouble !== undefined) return makeTrouble(response, trouble);
      this.#serve(route, { request, response, body, pathname });
    } catch (error) {
      this.violations.push(String(error));
      problem(response, 422, 'validation_failed');
    }
  }

  #serve(
    route: Route,
    {
      request,
      response,
      body,
      pathname,
    }: { request: IncomingMessage; response: ServerResponse; body: Buffer; pathname: string },
  ): void {
    const json = (): unknown => JSON.parse(body.toString());
    if (route === 'token')
      return this.#issue(response, z.strictObject({ key: z.string() }).parse(json()).key);
    const token = request.headers.authorization?.replace('Bearer ', '') ?? '';
    const organization = this.#tokens.get(token);
    if (organization === undefined) return problem(response, 401, 'unauthenticated');
    if (route === 'exchange' && body.toString().includes(CLOSED))
      return problem(response, 403, 'organization_access_denied');
    if (route === 'exchange')
      return send(response, 200, this.#token(z.strictObject({ org_id: z.string() }).parse(json()).org_id));
    if (route === 'work') return send(response, 200, this.#hints());
    if (organization === null) return problem(response, 403, 'role_required');
    if (route === this.#silenced && organization === SILENT) {
      this.#waiting.push(() => this.#serve(route, { request, response, body, pathname }));
      return;
    }
    const [, jobId = ''] = /^\/jobs\/([^/]+)\//.exec(pathname) ?? [];
    switch (route) {
      case 'claim':
        return send(response, 200, this.#claim(organization, BODIES.claim.parse(json())));
      case 'heartbeat':
        return send(response, 200, this.#heartbeat(BODIES.heartbeat.parse(json())));
      case 'complete':
        return this.#complete(response, this.#job(jobId), BODIES.complete.parse(json()));
      case 'release':
        this.releases.push({ jobId, reason: BODIES.release.parse(json()).reason });
        return void response.writeHead(204).end();
      case 'upload':
        return this.#upload(request, response, body);
      case 'download': {
        const bytes = this.files.get(pathname.split('/').at(-1) ?? '');
        if (bytes === undefined) return problem(response, 404, 'file_not_found');
        return void response.writeHead(200).end(bytes);
      }
    }
  }

  #issue(response: ServerResponse, key: string): void {
    if (key === 'fleet-key') return send(response, 200, this.#token(null));
    if (key === 'acme-key') return send(response, 200, this.#token('acme'));
    problem(response, 401, 'unauthenticated');
  }

  #token(organization: string | null): object {
    const claims = {
      org_id: organization,
      roles: [organization === null ? 'fleet' : 'worker'],
      jti: randomUUID(),
    };
    const token = `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.signature`;
    this.#tokens.set(token, organization);
    return { access_token: token, token_type: 'bearer', expires_in: 3600 };
  }

  #hints(): object {
    const waiting = [...this.#jobs.values()].filter(({ lease }) => lease === null);
    const organizations = [...new Set(waiting.map(({ organization }) => organization))];
    return {
      items: organizations.map((org_id) => ({ org_id, engine: 'vina', waiting: 1, hint_version: 7 })),
      retry_after_seconds: 1,
    };
  }

  #claim(organization: string, { limit }: z.infer<typeof BODIES.claim>): object {
    const waiting = [...this.#jobs.values()].filter(
      (job) => job.organization === organization && job.lease === null,
    );
    const items = waiting.slice(0, limit).map((each) => {
      each.lease = randomUUID();
      const { attempt, maxRuntimeSeconds, lease } = each;
      return {
        job: { ...each.job, status: 'RUNNING' },
        lease: {
          lease_id: lease,
          attempt,
          expires_at: '2026-01-01T00:00:00.000Z',
          max_runtime_seconds: maxRuntimeSeconds,
        },
      };
    });
    return { items, retry_after_seconds: 1 };
  }

  #heartbeat({ leases }: z.infer<typeof BODIES.heartbeat>): object {
    return {
      items: leases.map(({ job_id, lease_id, progress }) => {
        if (progress !== undefined) this.progress.push(progress);
        const job = this.#job(job_id);
        return { job_id, state: job.lease === lease_id ? job.state : 'lost', expires_at: null };
      }),
    };
  }

  #complete(response: ServerResponse, job: FakeJob, completion: FakeCompletion): void {
    if (job.lease !== completion.lease_id) return problem(response, 409, 'lease_lost');
    if (job.state === 'canceled') return problem(response, 409, 'job_state_conflict');
    const jobId = String(job.job['job_id']);
    for (const { file } of completion.artifacts)
      if (!this.files.has(file.slice('sha256:'.length))) this.violations.push(`${file} was not uploaded`);
    if (!this.completions.some((each) => each.lease_id === completion.lease_id))
      this.completions.push({ ...completion, jobId, organization: job.organization });
    send(response, 200, { ...job.job, status: completion.outcome });
  }

  #upload(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
    const digest = createHash('sha256').update(body).digest('base64');
    if (request.headers['content-digest'] !== `sha-256=:${digest}:`) this.violations.push('wrong digest');
    if (request.headers['content-type'] === undefined) this.violations.push('no media type');
    const isNew = !this.files.has(sha256(body));
    this.files.set(sha256(body), body);
    send(response, isNew ? 201 : 200, { sha256: sha256(body), size_bytes: body.length });
  }

  #job(jobId: string): FakeJob {
    const job = this.#jobs.get(jobId);
    if (job === undefined) throw new Error(`no job ${jobId}`);
    return job;
  }
}

const ROUTES: readonly (readonly [string, RegExp, Route])[] = [
  ['POST', /^\/auth\/token$/, 'token'],
  ['POST', /^\/auth\/exchange$/, 'exchange'],
  ['GET', /^\/work$/, 'work'],
  ['POST', /^\/jobs\/claim$/, 'claim'],
  ['POST', /^\/jobs\/heartbeat$/, 'heartbeat'],
  ['POST', /^\/jobs\/[0-9a-f-]{36}\/complete$/, 'complete'],
  ['POST', /^\/jobs\/[0-9a-f-]{36}\/release$/, 'release'],
  ['GET', /^\/files\/[0-9a-f]{64}$/, 'download'],
  ['POST', /^\/files$/, 'upload'],
];

const routeOf = (method: string, path: string): Route => {
  const found = ROUTES.find(([verb, pattern]) => verb === method && pattern.test(path));
  if (found === undefined) throw new Error(`no route ${method} ${path}`);
  return found[2];
};

const send = (response: ServerResponse, status: number, body: object): void => {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
};

const problem = (response: ServerResponse, status: number, code: string): void =>
  send(response, status, { code, detail: code });

const makeTrouble = (response: ServerResponse, trouble: Trouble): void => {
  if (trouble === 'hang up') return void response.destroy();
  const { status, code, text, retryAfter } = trouble;
  const headers = retryAfter === undefined ? {} : { 'Retry-After': String(retryAfter) };
  response
    .writeHead(status, headers)
    .end(text ?? (code === undefined ? '<h1>Bad gateway</h1>' : JSON.stringify({ code, detail: code })));
};
