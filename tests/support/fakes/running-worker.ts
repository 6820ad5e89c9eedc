import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ApiClient } from '../../../presentation/rest/api-client.ts';
import { isFleetToken, tokenOf, type Credentials } from '../../../presentation/worker/credentials.ts';
import type { Pause } from '../../../presentation/worker/retry.ts';
import { VinaEngine } from '../../../presentation/worker/vina-engine.ts';
import { FleetSource, OrganizationSource } from '../../../presentation/worker/work-source.ts';
import { Worker } from '../../../presentation/worker/worker.ts';
import { FakeLogger } from './fake-logger.ts';

/** Plays the scene that a ligand's remark names. */
export const STAND_IN = fileURLToPath(new URL('../stand-in-vina.sh', import.meta.url));

export const RECEPTOR = 'ATOM      1  C   SER A 438      11.317  66.182  33.926  1.00  0.00     0.244 C \n';
export const BOX = { center_x: -1.5, center_y: 2, center_z: 3, size_x: 10, size_y: 10, size_z: 10 };

export const ligandOf = (scene: string): string =>
  `REMARK SCENE ${scene}\nROOT\nATOM      1  N   UNL     1      16.714  51.912  14.876  1.00  0.00    -0.322 N \nENDROOT\nTORSDOF 0\n`;

/** The shortest that the service takes. */
const LEASE_SECONDS = 30;
/** A third of it. */
export const HEARTBEAT_MS = 10_000;
const MEMORY_BYTES = 4 * 2 ** 30;
/** The time that jobs have when a test does not say. */
export const AN_HOUR_MS = 3_600_000;

/** Waits a moment, or to the end of the test for an hour, and remembers how long it was asked to. */
export class ShortWaits {
  readonly asked: number[] = [];

  readonly wait: Pause = async (ms, signal) => {
    this.asked.push(ms);
    await sleep(ms < AN_HOUR_MS ? 1 : ms, undefined, { signal });
  };
}

interface WorkerSettings {
  readonly url: string;
  readonly credentials: Credentials;
  /** Where the folders of jobs are made. */
  readonly folder: string;
  readonly wait: Pause;
  readonly log?: FakeLogger;
  readonly slots?: number;
  readonly program?: string;
  readonly tracing?: ConstructorParameters<typeof Worker>[0]['tracing'];
}

/** A worker in this process, put together as `npm run worker` does. `end` stops it and resolves when it has ended. */
export const startWorker = async ({
  url,
  credentials,
  folder,
  wait,
  log = new FakeLogger(),
  slots = 1,
  program = STAND_IN,
  tracing = null,
}: WorkerSettings): Promise<{ end(): Promise<void> }> => {
  const searchPath = '/usr/local/bin:/usr/bin:/bin';
  const engine = await VinaEngine.find({ program, searchPath, cores: 1, memoryBytes: MEMORY_BYTES, wait });
  const api = new ApiClient(url);
  const token = tokenOf(credentials, api);
  const identity = { name: 'test', version: '1', engines: ['vina'], leaseSeconds: LEASE_SECONDS };
  const source = isFleetToken(await token.text())
    ? new FleetSource(api, token, identity, log)
    : new OrganizationSource(api, token, identity);
  const worker = new Worker({
    source,
    engine,
    slots,
    leaseSeconds: LEASE_SECONDS,
    temporaryFolder: folder,
    log,
    wait,
    tracing,
  });
  const ended = worker.run();
  return {
    end: () => {
      worker.stop();
      return ended;
    },
  };
};
