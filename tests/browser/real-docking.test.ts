import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { pause } from '../../presentation/worker/retry.ts';
import { keepPicture } from '../support/browser.ts';
import { BOX_FILE, DockingLab, expectDrawing, LIGAND, RECEPTOR } from '../support/docking-lab.ts';
import { startWorker } from '../support/fakes/running-worker.ts';
import { needsProgram } from '../support/programs.ts';

const DOCKING_MS = 240_000;

describe('Somebody who never saw the console', function () {
  this.timeout(DOCKING_MS + 60_000);
  let lab: DockingLab;
  let folder: string;

  before(async function () {
    needsProgram(this, 'chromium');
    needsProgram(this, 'vina');
    lab = await DockingLab.open('molecules');
    folder = await mkdtemp(join(tmpdir(), 'mad-test-console-'));
  });
  after(async () => {
    await lab?.close();
    if (folder !== undefined) await rm(folder, { recursive: true });
  });

  it('comes from a link to the best pose of a docking by AutoDock Vina, by what the pages offer', async () => {
    const admin = lab.service.as(lab.deployment.token('alpha', ['org_admin']));
    const { body } = await admin.post<{ readonly key: string }>('/organizations/alpha/service-accounts', {
      name: 'node',
      roles: ['worker'],
    });
    const worker = await startWorker({
      url: lab.service.url,
      credentials: { kind: 'key', key: body.key },
      folder,
      wait: pause,
      program: 'vina',
    });
    try {
      const visitor = await lab.enter();
      const page = await visitor.open(`/console/#member=${lab.deployment.token('alpha', ['member'])}`);
      page.setDefaultTimeout(60_000);
      // The one thing on the first page that stands out.
      await page.locator('main .primary').click();
      const pdbqt = 'chemical/x-pdbqt';
      await page
        .getByLabel('Drop the receptor here')
        .setInputFiles({ name: 'abl.pdbqt', mimeType: pdbqt, buffer: RECEPTOR });
      await page.getByText('abl.pdbqt').first().waitFor();
      await page
        .getByLabel('Drop ligands here')
        .setInputFiles({ name: 'imatinib.pdbqt', mimeType: pdbqt, buffer: LIGAND });
      await page.getByText('imatinib.pdbqt').first().waitFor();
      await page.getByLabel('From a configuration of Vina').setInputFiles(BOX_FILE);
      await page.getByLabel('Exhaustiveness').fill('1');
      await page.getByLabel(/^Seed/).fill('7');
      await page.getByRole('button', { name: 'Submit the job' }).click();
      // The page follows by itself: nobody reloads it.
      await page.getByText(/Pose 1 of \d+ · −\d+\.\d+ kcal\/mol/).waitFor({ timeout: DOCKING_MS });
      await expectDrawing(page);
      await page.getByText('MET 318 A').first().waitFor();
      await keepPicture(page, 'lab-real-docking');
      await page.getByRole('link', { name: 'Attempts' }).click();
      await page.getByRole('cell', { name: 'completed' }).waitFor();
      expect(visitor.faults).to.deep.equal([]);
      await visitor.context.close();
    } finally {
      await worker.end();
    }
  });
});
