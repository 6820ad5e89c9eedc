import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import { ApiClient } from '../../presentation/rest/api-client.ts';
import { tokenOf } from '../../presentation/worker/credentials.ts';
import { pause } from '../../presentation/worker/retry.ts';
import { VinaEngine } from '../../presentation/worker/vina-engine.ts';
import { OrganizationSource } from '../../presentation/worker/work-source.ts';
import { Worker } from '../../presentation/worker/worker.ts';
import { FakeWorkService, RememberingLogger } from '../support/fakes/fake-work-service.ts';
import { until } from '../support/gate.ts';
import { needsProgram } from '../support/programs.ts';

const FOLDER = new URL('../../presentation/demo/1iep/', import.meta.url);
const MEMORY_BYTES = 4 * 2 ** 30;
const DEADLINE_MS = 240_000;

describe('a docking with AutoDock Vina itself', function () {
  this.timeout(DEADLINE_MS + 10_000);
  let service: FakeWorkService;
  let folder: string;

  before(function () {
    needsProgram(this, 'vina');
  });
  beforeEach(async () => {
    service = await FakeWorkService.start();
    folder = await mkdtemp(join(tmpdir(), 'mad-test-docking-'));
  });
  afterEach(async () => {
    await service.stop();
    await rm(folder, { recursive: true });
  });

  it('finds how imatinib binds to the c-Abl kinase, from files with the line ends of Windows', async () => {
    const [receptor, ligand] = await Promise.all([
      readFile(new URL('1iep_receptor.pdbqt.gz', FOLDER)),
      readFile(new URL('1iep_ligand.pdbqt', FOLDER), 'utf8'),
    ]);
    service.submit({
      inputs: {
        receptor: { file: service.store(gunzipSync(receptor).toString()) },
        ligand: { file: service.store(ligand.replaceAll('\n', '\r\n')) },
      },
      params: {
        center_x: 15.19,
        center_y: 53.903,
        center_z: 16.917,
        size_x: 20,
        size_y: 20,
        size_z: 20,
        exhaustiveness: 1,
        seed: 7,
      },
    });
    const engine = await VinaEngine.find({
      program: 'vina',
      searchPath: '/usr/local/bin:/usr/bin:/bin',
      cores: 1,
      memoryBytes: MEMORY_BYTES,
    });
    const api = new ApiClient(service.url);
    const identity = { name: 'test', version: '1', engines: ['vina'], leaseSeconds: 30 };
    const source = new OrganizationSource(api, tokenOf({ kind: 'key', key: 'acme-key' }, api), identity);
    const log = new RememberingLogger();
    const worker = new Worker({
      source,
      engine,
      slots: 1,
      leaseSeconds: 30,
      temporaryFolder: folder,
      log,
      wait: pause,
    });
    const ended = worker.run();
    try {
      await until('the job is completed', () => service.completions.length === 1, DEADLINE_MS);
    } finally {
      worker.stop();
      await ended;
    }
    const [completion] = service.completions;
    expect(completion?.error).to.equal(undefined);
    const [result] = completion?.task_results ?? [];
    const [best] = result?.poses ?? [];
    expect(result?.result_data['seed']).to.equal(7);
    expect(result?.suspect).to.deep.equal([]);
    // In the crystal, as other releases of Vina find as well.
    expect(best?.affinity_kcal_mol).to.be.within(-13.6, -12.9);
    expect(best?.intra).to.equal(best?.unbound);
    expect(service.violations).to.deep.equal([]);
  });
});
