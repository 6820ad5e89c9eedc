import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import type { Browser, Page } from 'playwright-core';
import { DESK, launchBrowser, visit, type Graphics, type Look, type Visitor } from './browser.ts';
import { createDeployment, type Deployment } from './deployment.ts';
import { fetchBytes, sha256Of } from './fetch-bytes.ts';
import { HttpService, type Caller } from './http-service.ts';

const demo = new URL('../../presentation/demo/1iep/', import.meta.url);
export const RECEPTOR = gunzipSync(readFileSync(new URL('1iep_receptor.pdbqt.gz', demo)));
export const LIGAND = readFileSync(new URL('1iep_ligand.pdbqt', demo));
export const BOX_FILE = fileURLToPath(new URL('1iep_receptor.box.txt', demo));
const POSES = readFileSync(new URL('1iep_ligand_vina_out.pdbqt', demo));
const BOX = { center_x: 15.19, center_y: 53.903, center_z: 16.917, size_x: 20, size_y: 20, size_z: 20 };

export const EMAIL = 'grace@alpha.example';
export const PASSWORD = 'correct horse battery';
/** That an operator gave. Whoever has it chooses another. */
const FIRST_PASSWORD = 'given by an operator';

/** Without a graphics card, each drawing takes seconds. */
const DRAWING_MS = 60_000;

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

/** An organization with a member, a service with all its loops, and a browser. */
export class DockingLab {
  readonly deployment: Deployment;
  readonly service: HttpService;
  readonly #browser: Browser;
  readonly #member: Caller;
  readonly #worker: Caller;

  private constructor(deployment: Deployment, service: HttpService, browser: Browser) {
    this.deployment = deployment;
    this.service = service;
    this.#browser = browser;
    this.#member = service.as(deployment.token('alpha', ['member']));
    this.#worker = service.as(deployment.token('alpha', ['worker']));
  }

  static async open(graphics?: Graphics): Promise<DockingLab> {
    const deployment = await createDeployment();
    const service = await HttpService.running(deployment.start());
    await deployment.register('alpha');
    const operator = service.as(deployment.token(null, ['platform_admin']));
    await operator.post('/users', { email: EMAIL, password: FIRST_PASSWORD });
    await operator.post('/organizations/alpha/members', { email: EMAIL, roles: ['member'] });
    await operator.post('/auth/token', { email: EMAIL, password: FIRST_PASSWORD, new_password: PASSWORD });
    return new DockingLab(deployment, service, await launchBrowser(graphics));
  }

  async close(): Promise<void> {
    await this.#browser.close();
    await this.service.close();
    await this.deployment.dispose();
  }

  /** A browser of one person. Who is not logged in yet is answered 401, which browsers report. */
  async enter(look: Look = DESK): Promise<Visitor> {
    const visitor = await visit(this.#browser, this.service.url, look, /401 \(Unauthorized\)/);
    visitor.context.setDefaultTimeout(DRAWING_MS);
    return visitor;
  }

  async logIn(visitor: Visitor, path: string): Promise<Page> {
    const page = await visitor.open(path);
    page.setDefaultTimeout(DRAWING_MS);
    await page.getByLabel('Email').fill(EMAIL);
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Log in' }).click();
    return page;
  }

  /** Submits a campaign with a job for each label. @returns its id */
  async submitCampaign(name: string, labels: readonly string[]): Promise<string> {
    const token = this.deployment.token('alpha', ['member']);
    const receptor = await this.#send('1iep_receptor.pdbqt', RECEPTOR, token);
    const ligand = await this.#send('imatinib.pdbqt', LIGAND, token);
    const { body } = await this.#member.post<{ readonly campaign_id: string }>('/campaigns', {
      name,
      engine: 'vina',
      inputs: { receptor: { file: receptor, name: '1iep_receptor.pdbqt' } },
      params: BOX,
    });
    const items = labels.map((label, index) => ({
      label,
      inputs: { ligand: { file: ligand } },
      params: { seed: index + 1 },
    }));
    const batch = await this.#member.post('/job-batches', { campaign_id: body.campaign_id, items });
    expect(batch.status, batch.text).to.equal(201);
    return body.campaign_id;
  }

  /** Works as a worker does, and hands in what Vina found once. @returns the ids of the jobs */
  async dockAll(): Promise<readonly string[]> {
    const file = await this.#send('poses.pdbqt', POSES, this.deployment.token('alpha', ['worker']));
    const { body } = await this.#worker.post<{
      readonly items: readonly { readonly job: { job_id: string }; readonly lease: { lease_id: string } }[];
    }>('/jobs/claim', { worker: { name: 'node-7' }, engines: ['vina'], limit: 50 });
    const complete = async ({ job, lease }: (typeof body.items)[number], index: number): Promise<string> => {
      const poses = parsePoses(index % 7 === 0 ? index / 20 : Math.sqrt(index));
      const done = await this.#worker.post(`/jobs/${job.job_id}/complete`, {
        lease_id: lease.lease_id,
        outcome: 'COMPLETED',
        task_results: [{ task_name: 'docking', service_name: 'vina', result_data: {}, poses }],
        artifacts: [{ name: 'poses.pdbqt', purpose: 'poses', file, content_type: 'chemical/x-pdbqt' }],
        log_tail: 'Reading input ... done.\nPerforming docking (random seed: 42) ... done.',
      });
      expect(done.status, done.text).to.equal(200);
      return job.job_id;
    };
    return Promise.all(body.items.map(complete));
  }

  async #send(name: string, bytes: Buffer, token: string): Promise<string> {
    await fetchBytes(`${this.service.url}/files`, {
      method: 'POST',
      token,
      body: bytes.toString(),
      headers: {
        'Content-Type': 'chemical/x-pdbqt',
        'Content-Disposition': `attachment; filename="${name}"`,
      },
    });
    return `sha256:${sha256Of(bytes)}`;
  }
}

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

/** Waits until there is a molecule on the canvas. */
export const expectDrawing = async (page: Page): Promise<void> => {
  await page.locator('.pose-canvas canvas').waitFor();
  // Each look at it is a drawing of its own.
  await page.waitForFunction(`(${COLORS}).then((colors) => colors > 20)`, undefined, {
    timeout: DRAWING_MS,
    polling: 500,
  });
};

/** Keeps pages from drawing molecules, which is most of their time where there is no graphics card. */
export const WITHOUT_DRAWING = `{
  const { getContext } = HTMLCanvasElement.prototype;
  HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
    return /webgl/.test(kind) ? null : getContext.call(this, kind, ...rest);
  };
}`;
