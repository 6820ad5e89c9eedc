import { createHash } from 'node:crypto';
import type { TraceHeaders } from '../../application/ports/runtime/tracing.ts';
import type { AuthorizedApi } from './access-token.ts';
import { replies, type JobToDo, type Lease } from './work-replies.ts';

/** What this worker can run. */
export const ENGINES = ['vina'] as const;
/** Long enough for a service that is restarted, short enough for a job whose worker has died. */
export const LEASE_SECONDS = 120;

/** Says of a worker who it is, and how long its leases are. */
export interface WorkerIdentity {
  readonly name: string;
  readonly version: string;
  readonly engines: readonly string[];
  readonly leaseSeconds: number;
}

export interface Claim {
  readonly items: readonly { readonly job: JobToDo; readonly lease: Lease }[];
  readonly retryAfterMs: number;
}

interface Progress {
  readonly fraction?: number;
  readonly message: string;
}

export interface HeldLease {
  readonly jobId: string;
  readonly leaseId: string;
  readonly progress: Progress;
}

export type LeaseState = 'held' | 'canceled' | 'lost';

/** What a worker says of a job at its end, as `POST /jobs/{job_id}/complete` takes it. */
export interface Completion {
  readonly outcome: 'COMPLETED' | 'FAILED';
  readonly error?: { readonly code: string; readonly message: string; readonly retryable: boolean };
  readonly task_results: readonly object[];
  readonly artifacts: readonly object[];
  readonly usage: { readonly wall_seconds: number; readonly cpu_seconds?: number };
  readonly log_tail?: string;
}

const CLAIM_TIMEOUT_MS = 30_000;
const DOWNLOAD_TIMEOUT_MS = 600_000;

/** The work of one organization, over the service's REST routes. The token says which organization. */
export class OrganizationWork {
  readonly #api: AuthorizedApi;
  readonly #worker: WorkerIdentity;

  constructor(api: AuthorizedApi, worker: WorkerIdentity) {
    this.#api = api;
    this.#worker = worker;
  }

  /** The same work, whose requests are steps of a trace. @param headers those of the step under way, at each request */
  inTrace(headers: () => TraceHeaders): OrganizationWork {
    return new OrganizationWork(this.#api.withHeaders(headers), this.#worker);
  }

  /** @param hintVersion what the service said of the organization's work, where it said so */
  async claim(limit: number, hintVersion?: number | string): Promise<Claim> {
    const { name, version, engines, leaseSeconds } = this.#worker;
    const { body } = await this.#api.call({
      method: 'POST',
      path: '/jobs/claim',
      body: {
        worker: { name, version },
        engines,
        limit,
        lease_seconds: leaseSeconds,
        ...(hintVersion !== undefined && { hint_version: hintVersion }),
      },
      expect: [200],
      reply: replies.claim,
      // Is not cut short by a stop: jobs that were claimed unseen would wait until their leases end.
      timeoutMs: CLAIM_TIMEOUT_MS,
    });
    return { items: body.items, retryAfterMs: body.retry_after_seconds * 1000 };
  }

  /** @returns the states by job id, of the jobs that the service answers for */
  async heartbeat(leases: readonly HeldLease[], timeoutMs: number): Promise<ReadonlyMap<string, LeaseState>> {
    const { body } = await this.#api.call({
      method: 'POST',
      path: '/jobs/heartbeat',
      body: {
        leases: leases.map(({ jobId, leaseId, progress }) => ({
          job_id: jobId,
          lease_id: leaseId,
          progress,
        })),
      },
      expect: [200],
      reply: replies.heartbeat,
      timeoutMs,
    });
    return new Map(body.items.map(({ job_id, state }) => [job_id, state]));
  }

  /** May be repeated: the service answers the second completion under a lease as the first. */
  async complete(jobId: string, leaseId: string, completion: Completion, signal: AbortSignal): Promise<void> {
    await this.#api.call({
      method: 'POST',
      path: `/jobs/${jobId}/complete`,
      body: { lease_id: leaseId, ...completion },
      expect: [200],
      reply: replies.anything,
      signal,
    });
  }

  async release(
    jobId: string,
    leaseId: string,
    release: { readonly reason: 'shutdown' | 'cannot_run'; readonly delay_seconds?: number },
  ): Promise<void> {
    await this.#api.call({
      method: 'POST',
      path: `/jobs/${jobId}/release`,
      body: { lease_id: leaseId, ...release },
      expect: [204],
      reply: replies.anything,
      timeoutMs: RELEASE_TIMEOUT_MS,
    });
  }

  /** The bytes of a file, as the service sends them. */
  download(sha256: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    return this.#api.download({
      method: 'GET',
      path: `/files/${sha256}`,
      expect: [200],
      signal,
      timeoutMs: DOWNLOAD_TIMEOUT_MS,
    });
  }

  /** @returns the file's address in inputs and artifacts */
  async upload(
    { name, mediaType, bytes }: WorkFile,
    signal: AbortSignal,
  ): Promise<{ readonly file: string; readonly sizeBytes: number }> {
    const digest = createHash('sha256').update(bytes).digest();
    const { body } = await this.#api.upload({
      method: 'POST',
      path: '/files',
      headers: {
        'Content-Type': mediaType,
        'Content-Disposition': `attachment; filename="${name}"`,
        'Content-Digest': `sha-256=:${digest.toString('base64')}:`,
      },
      bytes,
      expect: [200, 201],
      reply: replies.file,
      signal,
      timeoutMs: DOWNLOAD_TIMEOUT_MS,
    });
    return { file: `sha256:${body.sha256}`, sizeBytes: bytes.length };
  }
}

const RELEASE_TIMEOUT_MS = 5000;

/** A file that a worker made. Its name is of the worker's choice. */
export interface WorkFile {
  readonly name: string;
  readonly mediaType: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}
