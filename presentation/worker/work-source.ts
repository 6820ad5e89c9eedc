import type { Logger } from '../../application/ports/runtime/logger.ts';
import { reasonsOf } from '../../domain/reason-of.ts';
import type { ApiClient } from '../rest/api-client.ts';
import { AccessToken, AuthorizedApi } from './access-token.ts';
import type { ClaimedJob } from './job-run.ts';
import { OrganizationWork, type WorkerIdentity } from './organization-work.ts';
import { replies } from './work-replies.ts';

export interface ClaimedJobs {
  readonly jobs: readonly ClaimedJob[];
  /** When the service wants to be asked again, when there was nothing. */
  readonly retryAfterMs: number;
}

/** Where a worker gets its jobs. */
export interface WorkSource {
  /**
   * @param signal asks for no further requests
   * @throws {ApiError} or what `fetch` rejects with, when nothing could be claimed
   */
  claim(limit: number, signal: AbortSignal): Promise<ClaimedJobs>;
}

/** The jobs of the one organization that the worker's token speaks for. */
export class OrganizationSource implements WorkSource {
  readonly #work: OrganizationWork;

  constructor(api: ApiClient, token: AccessToken, worker: WorkerIdentity) {
    this.#work = new OrganizationWork(new AuthorizedApi(api, token), worker);
  }

  async claim(limit: number): Promise<ClaimedJobs> {
    const work = this.#work;
    const { items, retryAfterMs } = await work.claim(limit);
    return { jobs: items.map((item) => ({ ...item, work })), retryAfterMs };
  }
}

/**
 * The jobs of all organizations that admitted a fleet. The service says where work is, without opening an organization's
 * database; the fleet's token is exchanged for one of that organization, and that one claims.
 */
export class FleetSource implements WorkSource {
  readonly #api: ApiClient;
  readonly #fleet: AuthorizedApi;
  readonly #worker: WorkerIdentity;
  readonly #log: Logger;
  readonly #organizations = new Map<string, OrganizationWork>();

  constructor(api: ApiClient, token: AccessToken, worker: WorkerIdentity, log: Logger) {
    this.#api = api;
    this.#fleet = new AuthorizedApi(api, token);
    this.#worker = worker;
    this.#log = log;
  }

  async claim(limit: number, signal: AbortSignal): Promise<ClaimedJobs> {
    const { body } = await this.#fleet.call({
      method: 'GET',
      path: `/work?engines=${this.#worker.engines.join(',')}&limit=${MAX_HINTS}`,
      expect: [200],
      reply: replies.work,
    });
    const jobs: ClaimedJob[] = [];
    for (const { org_id, hint_version } of body.items) {
      if (jobs.length >= limit || signal.aborted) break;
      try {
        const work = this.#workOf(org_id);
        const { items } = await work.claim(limit - jobs.length, hint_version);
        jobs.push(...items.map((item) => ({ ...item, work })));
      } catch (error) {
        // What was claimed already is under a lease: it must be done. Another organization is no worse off.
        this.#log.write('worker.organization_skipped', { org_id, reason: reasonsOf(error) });
      }
    }
    return { jobs, retryAfterMs: body.retry_after_seconds * 1000 };
  }

  #workOf(organizationId: string): OrganizationWork {
    const known = this.#organizations.get(organizationId);
    if (known !== undefined) return known;
    const token = new AccessToken(() => this.#exchange(organizationId));
    const work = new OrganizationWork(new AuthorizedApi(this.#api, token), this.#worker);
    this.#organizations.set(organizationId, work);
    return work;
  }

  async #exchange(organizationId: string) {
    const { body } = await this.#fleet.call({
      method: 'POST',
      path: '/auth/exchange',
      body: { org_id: organizationId },
      expect: [200],
      reply: replies.token,
    });
    return body;
  }
}

const MAX_HINTS = 20;
