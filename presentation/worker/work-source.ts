import type { Logger } from '../../application/ports/runtime/logger.ts';
import { reasonsOf } from '../../domain/reason-of.ts';
import type { ApiClient } from '../rest/api-client.ts';
import { AccessToken, AuthorizedApi } from './access-token.ts';
import type { ClaimedJob } from './job-run.ts';
import { OrganizationWork, type WorkerIdentity } from './organization-work.ts';
import { replies } from './work-replies.ts';

/** Takes jobs as they are claimed. */
export type TakeJob = (job: ClaimedJob) => void;

/** Where a worker gets its jobs. */
export interface WorkSource {
  /**
   * Hands each job over at once: its lease runs, and the next organization may be slow to answer.
   *
   * @param signal asks for no further requests
   * @returns when the service wants to be asked again, in milliseconds, when there was nothing
   * @throws {ApiError} or what `fetch` rejects with, when nothing could be claimed
   */
  claim(limit: number, signal: AbortSignal, take: TakeJob): Promise<number>;
}

/** The jobs of the one organization that the worker's token speaks for. */
export class OrganizationSource implements WorkSource {
  readonly #work: OrganizationWork;

  constructor(api: ApiClient, token: AccessToken, worker: WorkerIdentity) {
    this.#work = new OrganizationWork(new AuthorizedApi(api, token), worker);
  }

  async claim(limit: number, _signal: AbortSignal, take: TakeJob): Promise<number> {
    const work = this.#work;
    const { items, retryAfterMs } = await work.claim(limit);
    for (const item of items) take({ ...item, work });
    return retryAfterMs;
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

  async claim(limit: number, signal: AbortSignal, take: TakeJob): Promise<number> {
    const { body } = await this.#fleet.call({
      method: 'GET',
      path: `/work?engines=${this.#worker.engines.join(',')}&limit=${MAX_HINTS}`,
      expect: [200],
      reply: replies.work,
    });
    let left = limit;
    for (const { org_id, hint_version } of body.items) {
      if (left <= 0 || signal.aborted) break;
      try {
        const work = this.#workOf(org_id);
        const { items } = await work.claim(left, hint_version);
        left -= items.length;
        for (const item of items) take({ ...item, work });
      } catch (error) {
        // Another organization is no worse off.
        this.#log.write('worker.organization_skipped', { org_id, reason: reasonsOf(error) });
      }
    }
    return body.retry_after_seconds * 1000;
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
