import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeLogger } from '../../support/fakes/fake-logger.ts';
import { FakeWorkService } from '../../support/fakes/fake-work-service.ts';
import { BOX, ligandOf, RECEPTOR, ShortWaits, startWorker } from '../../support/fakes/running-worker.ts';

type SubmitOptions = NonNullable<Parameters<FakeWorkService['submit']>[1]>;

/** A worker, a service that it asks, and an engine that plays what a test wants. */
export class WorkerBench {
  readonly service: FakeWorkService;
  readonly folder: string;
  readonly log = new FakeLogger();
  readonly waits = new ShortWaits();
  readonly #workers: { end(): Promise<void> }[] = [];

  private constructor(service: FakeWorkService, folder: string) {
    this.service = service;
    this.folder = folder;
  }

  static async make(): Promise<WorkerBench> {
    return new WorkerBench(await FakeWorkService.start(), await mkdtemp(join(tmpdir(), 'mad-test-worker-')));
  }

  /** Submits a docking whose ligand plays a scene. */
  submit(
    scene: string,
    {
      params = {},
      ligandText = ligandOf(scene),
      ...options
    }: { readonly params?: object; readonly ligandText?: string } & SubmitOptions = {},
  ): string {
    const receptor = this.service.store(RECEPTOR);
    const ligand = this.service.store(ligandText);
    return this.service.submit(
      {
        inputs: { receptor: { file: receptor }, ligand: { file: ligand, name: '../../x' } },
        params: { ...BOX, ...params },
      },
      options,
    );
  }

  async start({
    key = 'acme-key',
    ...settings
  }: { readonly slots?: number; readonly key?: string; readonly program?: string } = {}): Promise<void> {
    const { folder, log, service } = this;
    const { wait } = this.waits;
    const credentials = { kind: 'key', key } as const;
    this.#workers.push(await startWorker({ url: service.url, credentials, folder, wait, log, ...settings }));
  }

  /** Stops the workers, and resolves when they have ended. */
  async end(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.end()));
  }

  async close(): Promise<void> {
    await this.end();
    await this.service.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}
