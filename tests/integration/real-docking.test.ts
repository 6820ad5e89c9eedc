import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import { pause } from '../../presentation/worker/retry.ts';
import { FakeWorkService } from '../support/fakes/fake-work-service.ts';
import { startWorker } from '../support/fakes/running-worker.ts';
import { until } from '../support/gate.ts';
import { needsProgram } from '../support/programs.ts';

const FOLDER = new URL('../../presentation/demo/1iep/', import.meta.url);
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
    const credentials = { kind: 'key', key: 'acme-key' } as const;
    const worker = await startWorker({ url: service.url, credentials, folder, wait: pause, program: 'vina' });
    try {
      await until('the job is completed', () => service.completions.length === 1, DEADLINE_MS);
    } finally {
      await worker.end();
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
    // Debian's 1.2.3 is wrong by 0.85 kcal/mol here. What it said is delivered as well.
    if (result?.service_version.includes('1.2.3') === true)
      expect(best?.reported_affinity_kcal_mol).to.equal(-14.147);
    expect(service.violations).to.deep.equal([]);
  });
});
