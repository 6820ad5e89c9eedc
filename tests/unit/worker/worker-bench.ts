import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ApiClient } from '../../../presentation/rest/api-client.ts';
import { tokenOf } from '../../../presentation/worker/credentials.ts';
import type { Pause } from '../../../presentation/worker/retry.ts';
import { VinaEngine } from '../../../presentation/worker/vina-engine.ts';
import { FleetSource, OrganizationSource } from '../../../presentation/worker/work-source.ts';
import { Worker } from '../../../presentation/worker/worker.ts';
import { FakeWorkService, RememberingLogger } from '../../support/fakes/fake-work-service.ts';

export const STAND_IN = fileURLToPath(new URL('../../support/stand-in-vina.sh', import.meta.url));

const RECEPTOR = 'ATOM      1  C   SER A 438      11.317  66.182  33.926  1.00  0.00     0.244 C \n';
const BOX = { center_x: -1.5, center_y: 2, center_z: 3, size_x: 10, size_y: 10, size_z: 10 };

/** A ligand that has the stand-in engine play a scene. */
export const ligandOf = (scene: string): string =>
  `REMARK SCENE ${scene}\nROOT\nATOM      1  N   UNL     1      16.714  51.912  14.876  1.00  0.00    -0.322 N \nENDROOT\nTORSDOF 0\n`;

/** The time that jobs have when a test does not say. */
const AN_HOUR_MS = 3_600_000;

/** Waits a moment, or to the end of the test for an hour, and remembers how long it was asked to. */
export class ShortWaits {
  readonly asked: number[] = [];

  readonly wait: Pause = async (ms, signal) => {
    this.asked.push(ms);
    await sleep(ms < AN_HOUR_MS ? 1 : ms, undefined, { signal });
  };
}

/** A worker, a service that it asks, and an engine that plays what a test wants. */
export class WorkerBench {
  readonly service: FakeWorkService;
  readonly folder: string;
  readonly log = new RememberingLogger();
  readonly waits = new ShortWaits();
  readonly #workers: { readonly worker: Worker; readonly ended: Promise<void> }[] = [];

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
    }: { readonly params?: object; readonly ligandText?: string } & Parameters<
      FakeWorkService['submit']
    >[1] = {},
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
    slots = 1,
    key = 'acme-key',
    program = STAND_IN,
  }: { readonly slots?: number; readonly key?: string; readonly program?: string } = {}): Promise<Worker> {
    const { log, folder } = this;
    const { wait } = this.waits;
    const engine = await VinaEngine.find({
      program,
      searchPath: '/usr/local/bin:/usr/bin:/bin',
      cores: 1,
      memoryBytes: 2 ** 33,
      wait,
    });
    const api = new ApiClient(this.service.url);
    const token = tokenOf({ kind: 'key', key }, api);
    const identity = { name: 'bench', version: '1', engines: ['vina'], leaseSeconds: 30 };
    const source =
      key === 'fleet-key'
        ? new FleetSource(api, token, identity, log)
        : new OrganizationSource(api, token, identity);
    const worker = new Worker({
      source,
      engine,
      slots,
      leaseSeconds: 30,
      temporaryFolder: folder,
      log,
      wait,
    });
    this.#workers.push({ worker, ended: worker.run() });
    return worker;
  }

  /** Stops the workers, and resolves when they have ended. */
  async end(): Promise<void> {
    for (const { worker } of this.#workers) worker.stop();
    await Promise.all(this.#workers.map(({ ended }) => ended));
  }

  async close(): Promise<void> {
    await this.end();
    await this.service.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}
