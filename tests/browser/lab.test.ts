import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import type { Browser, Page } from 'playwright-core';
import {
  DESK,
  expectUsable,
  keepPicture,
  launchBrowser,
  LOOKS,
  visit,
  type Look,
  type Visitor,
} from '../support/browser.ts';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import { until } from '../support/gate.ts';
import { fetchBytes, sha256Of } from '../support/fetch-bytes.ts';
import { HttpService, type Caller } from '../support/http-service.ts';
import { needsProgram } from '../support/programs.ts';

const demo = new URL('../../presentation/demo/1iep/', import.meta.url);
const RECEPTOR = gunzipSync(readFileSync(new URL('1iep_receptor.pdbqt.gz', demo)));
const LIGAND = readFileSync(new URL('1iep_ligand.pdbqt', demo));
const POSES = readFileSync(new URL('1iep_ligand_vina_out.pdbqt', demo));
const BOX = fileURLToPath(new URL('1iep_receptor.box.txt', demo));
const PASSWORD = 'correct horse battery';
/** That an operator gave. Whoever has it chooses another. */
const FIRST_PASSWORD = 'given by an operator';
const EMAIL = 'grace@alpha.example';

/** How many colours the drawing has: a blank one has a single colour. */
const COLORS = `(async () => {
  const source = document.querySelector('.pose-canvas canvas');
  if (source === null) return 0;
  const image = new Image();
  image.src = source.toDataURL();
  await image.decode();
  const copy = document.createElement('canvas');
  copy.width = 200; copy.height = 150;
  const context = copy.getContext('2d');
  context.drawImage(image, 0, 0, 200, 150);
  const { data } = context.getImageData(0, 0, 200, 150);
  const seen = new Set();
  for (let at = 0; at < data.length; at += 4) seen.add(data[at] << 16 | data[at + 1] << 8 | data[at + 2]);
  return seen.size;
})()`;

/** @param worse by how much, so that a campaign has something to rank */
const parsePoses = (worse: number) =>
  [...POSES.toString().matchAll(/^REMARK VINA RESULT:\s+(\S+)\s+(\S+)\s+(\S+)/gm)].map(
    ([, affinity, low, high], index) => ({
      rank: index + 1,
      affinity_kcal_mol: Number((Number(affinity) + worse).toFixed(3)),
      rmsd_lower_bound: Number(low),
      rmsd_upper_bound: Number(high),
    }),
  );

describe('The pages for the lab', function () {
  this.timeout(240_000);
  let deployment: Deployment;
  let service: HttpService;
  let browser: Browser;
  let worker: Caller;

  before(async function () {
    needsProgram(this, 'chromium');
    deployment = await createDeployment();
    service = await HttpService.running(deployment.start());
    await deployment.register('alpha');
    worker = service.as(deployment.token('alpha', ['worker']));
    const operator = service.as(deployment.token(null, ['platform_admin']));
    await operator.post('/users', { email: EMAIL, password: FIRST_PASSWORD });
    await operator.post('/organizations/alpha/members', { email: EMAIL, roles: ['member'] });
    const chosen = { email: EMAIL, password: FIRST_PASSWORD, new_password: PASSWORD };
    await operator.post('/auth/token', chosen);
    browser = await launchBrowser();
  });
  after(async () => {
    await browser?.close();
    await service?.close();
    await deployment?.dispose();
  });

  const logIn = async (visitor: Visitor, path: string): Promise<Page> => {
    const page = await visitor.open(path);
    // Without a graphics card, each drawing takes seconds.
    page.setDefaultTimeout(60_000);
    await page.getByLabel('Email').fill(EMAIL);
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Log in' }).click();
    return page;
  };
  const enter = (look: Look = DESK): Promise<Visitor> =>
    // Who is not logged in yet is answered 401.
    visit(browser, service.url, look, /401 \(Unauthorized\)/);
  const send = async (name: string, bytes: Buffer, token: string): Promise<string> => {
    await fetchBytes(`${service.url}/files`, {
      method: 'POST',
      token,
      body: bytes.toString(),
      headers: {
        'Content-Type': 'chemical/x-pdbqt',
        'Content-Disposition': `attachment; filename="${name}"`,
      },
    });
    return `sha256:${sha256Of(bytes)}`;
  };

  /** Works as a worker does, and hands in what Vina found once. */
  const dockAll = async (): Promise<void> => {
    const file = await send('poses.pdbqt', POSES, deployment.token('alpha', ['worker']));
    const { body } = await worker.post<{
      readonly items: readonly { readonly job: { job_id: string }; readonly lease: { lease_id: string } }[];
    }>('/jobs/claim', { worker: { name: 'node-7' }, engines: ['vina'], limit: 50 });
    for (const [index, { job, lease }] of body.items.entries()) {
      const poses = parsePoses(index % 7 === 0 ? index / 20 : Math.sqrt(index));
      const done = await worker.post(`/jobs/${job.job_id}/complete`, {
        lease_id: lease.lease_id,
        outcome: 'COMPLETED',
        task_results: [{ task_name: 'docking', service_name: 'vina', result_data: {}, poses }],
        artifacts: [{ name: 'poses.pdbqt', purpose: 'poses', file, content_type: 'chemical/x-pdbqt' }],
        log_tail: 'Reading input ... done.\nPerforming docking (random seed: 42) ... done.',
      });
      expect(done.status, done.text).to.equal(200);
    }
  };

  it('lead from the login to the best pose of a docking that somebody submits there', async () => {
    const visitor = await enter();
    const scripts: string[] = [];
    visitor.context.on('request', (request) => scripts.push(request.url()));
    const page = await logIn(visitor, '/console/');
    await page.getByRole('link', { name: 'Dock ligands' }).first().click();
    await page
      .getByLabel('Drop the receptor here')
      .setInputFiles({ name: '1iep_receptor.pdbqt', mimeType: 'chemical/x-pdbqt', buffer: RECEPTOR });
    await page.getByText('1iep_receptor.pdbqt').first().waitFor();
    await page
      .getByLabel('Drop ligands here')
      .setInputFiles({ name: 'imatinib.pdbqt', mimeType: 'chemical/x-pdbqt', buffer: LIGAND });
    await page.getByText('imatinib.pdbqt').first().waitFor();
    await page.getByLabel('From a configuration of Vina').setInputFiles(BOX);
    const centre = page.getByLabel('Centre x, Å');
    await until('the box is read', async () => (await centre.inputValue()) === '15.19');
    await page.getByRole('button', { name: 'Is the receptor in it?' }).click();
    await page.getByText('The box holds atoms of the receptor.').waitFor();
    await keepPicture(page, 'lab-submit');
    await page.getByRole('button', { name: 'Submit the job' }).click();
    await page.getByRole('heading', { name: 'imatinib' }).waitFor();
    await page.getByText('No worker').first().waitFor();
    await keepPicture(page, 'lab-job-waiting');
    const before = scripts.length;

    await dockAll();
    await page
      .getByText(/Pose 1 of 4/)
      .first()
      .waitFor();
    await page.locator('.pose-canvas canvas').waitFor();
    await expectDrawing(page);
    expect(scripts.slice(0, before).filter((url) => /pose-canvas|3Dmol/.test(url))).to.deep.equal([]);
    await page.getByText('MET 318 A').first().waitFor();
    await keepPicture(page, 'lab-job');

    await page.getByRole('button', { name: 'Next pose' }).click();
    await page
      .getByText(/Pose 2 of 4/)
      .first()
      .waitFor();
    expect(page.url()).to.contain('pose=2');
    for (const layer of ['All poses', 'Search box', 'Surface']) await page.getByLabel(layer).click();
    await expectDrawing(page);
    await keepPicture(page, 'lab-job-layers');
    const saved = page.waitForEvent('download');
    await page.getByRole('button', { name: 'This pose (PDB)' }).click();
    expect((await saved).suggestedFilename()).to.equal('imatinib-pose-2.pdb');
    const picture = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Image (PNG)' }).click();
    expect((await picture).suggestedFilename()).to.equal('imatinib-pose-2.png');
    await page.getByRole('link', { name: 'Log', exact: true }).click();
    await page.getByText('random seed: 42').waitFor();
    expect(visitor.faults).to.deep.equal([]);
    await visitor.context.close();
  });

  const expectDrawing = async (page: Page): Promise<void> => {
    await page.waitForFunction(`(${COLORS}).then((colors) => colors > 20)`, undefined, { timeout: 30_000 });
  };

  it('rank a campaign beside the pose, and keep all of it in the address', async () => {
    const member = service.as(deployment.token('alpha', ['member']));
    const token = deployment.token('alpha', ['member']);
    const receptor = await send('1iep_receptor.pdbqt', RECEPTOR, token);
    const ligand = await send('imatinib.pdbqt', LIGAND, token);
    const made = await member.post<{ readonly campaign_id: string }>('/campaigns', {
      name: 'c-Abl, library 3',
      engine: 'vina',
      inputs: { receptor: { file: receptor, name: '1iep_receptor.pdbqt' } },
      params: { center_x: 15.19, center_y: 53.903, center_z: 16.917, size_x: 20, size_y: 20, size_z: 20 },
    });
    const id = made.body.campaign_id;
    const others = Array.from(
      { length: 40 },
      (_, index) => `ZINC${String(3_831_234 + 7 * index).padStart(9, '0')}`,
    );
    const items = ['imatinib', 'nilotinib', 'ponatinib', ...others].map((label, index) => ({
      label,
      inputs: { ligand: { file: ligand } },
      params: { seed: index + 1 },
    }));
    const batch = await member.post('/job-batches', { campaign_id: id, items });
    expect(batch.status, batch.text).to.equal(201);
    await dockAll();
    const visitor = await enter();
    const page = await logIn(visitor, `/console/o/alpha/campaigns/${id}`);
    await page.getByRole('button', { name: 'nilotinib' }).click();
    await page
      .getByText(/Pose 1 of 4/)
      .first()
      .waitFor();
    await page.locator('.pose-canvas canvas').waitFor();
    await expectDrawing(page);
    await page.getByRole('button', { name: 'Next pose' }).click();
    await page.waitForURL(/pose=2/);
    await keepPicture(page, 'lab-campaign');
    const same = await visitor.context.newPage();
    await same.goto(page.url());
    await same
      .getByText(/Pose 2 of 4/)
      .first()
      .waitFor();
    const table = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Table (CSV)' }).click();
    expect((await table).suggestedFilename()).to.match(/\.csv$/);
    expect(visitor.faults).to.deep.equal([]);
    await visitor.context.close();
  });

  for (const look of LOOKS) {
    it(`can be used by everybody: ${look.theme}, ${look.width} wide`, async () => {
      const visitor = await enter(look);
      const page = await logIn(visitor, '/console/o/alpha/jobs');
      await page.getByRole('link', { name: 'imatinib' }).first().waitFor();
      const jobHref = (await page.getByRole('link', { name: 'imatinib' }).first().getAttribute('href')) ?? '';
      await page.goto('/console/o/alpha/campaigns');
      const href = (await page.getByRole('link', { name: 'c-Abl' }).first().getAttribute('href')) ?? '';
      for (const [path, text] of [
        ['/console/o/alpha/jobs', 'imatinib'],
        ['/console/o/alpha/campaigns', 'c-Abl'],
        [href, 'kcal/mol'],
        [jobHref, 'MET 318 A'],
        ['/console/o/alpha/submit', 'Search box'],
        ['/console/o/alpha/files', 'poses.pdbqt'],
      ] as const) {
        await page.goto(path);
        await page.getByText(text).first().waitFor();
        await expectUsable(
          page,
          `lab-${path.replace(/^.console.o.alpha./, '').slice(0, 16)}-${look.theme}-${look.width}`,
        );
      }
      expect(visitor.faults).to.deep.equal([]);
      await visitor.context.close();
    });
  }
});
