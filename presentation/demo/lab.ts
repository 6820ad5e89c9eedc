import type { z } from 'zod';
import { problem, type ApiAnswer, type ApiClient } from '../rest/api-client.ts';
import type { WorkFile } from '../worker/organization-work.ts';
import { replies, type Job, type StoredFile } from './replies.ts';

/** What the inputs of a job say of a file. */
export interface InputFile {
  readonly file: string;
  readonly name: string;
}

export interface DockingInputs {
  readonly receptor: InputFile;
  readonly ligand: InputFile;
}

interface SubmitOptions {
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly expect?: readonly number[];
}

/** One organization, as one of its people reaches it. */
export class Lab {
  readonly #api: ApiClient;
  readonly #organizationId: string;
  /** Of the person. */
  readonly token: string;

  constructor(api: ApiClient, organizationId: string, token: string) {
    this.#api = api;
    this.#organizationId = organizationId;
    this.token = token;
  }

  /** @param path below the organization */
  async get<Reply>(path: string, reply: z.ZodType<Reply>): Promise<Reply> {
    const call = {
      method: 'GET',
      path: this.pathOf(path),
      token: this.token,
      expect: [200],
      reply,
    } as const;
    return (await this.#api.call(call)).body;
  }

  pathOf(path: string): string {
    return `/organizations/${this.#organizationId}${path}`;
  }

  upload({ name, mediaType, bytes }: WorkFile): Promise<ApiAnswer<StoredFile>> {
    return this.#api.upload({
      method: 'POST',
      path: this.pathOf('/files'),
      token: this.token,
      headers: { 'Content-Type': mediaType, 'Content-Disposition': `attachment; filename="${name}"` },
      bytes,
      expect: [200, 201],
      reply: replies.file,
    });
  }

  submit(
    body: object,
    { query = '', headers = {}, expect = [201] }: SubmitOptions = {},
  ): Promise<ApiAnswer<Job>> {
    return this.#api.call({
      method: 'POST',
      path: this.pathOf(`/jobs${query}`),
      token: this.token,
      headers,
      body,
      expect,
      reply: replies.job,
    });
  }

  async cancel(job: Job): Promise<Job> {
    const { body } = await this.#api.call({
      method: 'PATCH',
      path: this.pathOf(`/jobs/${job.job_id}`),
      token: this.token,
      body: { status: 'CANCELED' },
      expect: [200],
      reply: replies.job,
    });
    return body;
  }

  /** @param path of another organization */
  trespass(path: string) {
    const request = { method: 'GET', path, token: this.token, expect: [403], reply: problem } as const;
    return this.#api.call(request);
  }

  async results({ job_id }: Job) {
    return (await this.get(`/jobs/${job_id}/task-results`, replies.taskResults)).items;
  }
}
