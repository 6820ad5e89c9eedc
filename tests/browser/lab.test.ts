import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { hide, keepPicture } from '../support/browser.ts';
import { BOX_FILE, DockingLab, expectDrawing, LIGAND, RECEPTOR } from '../support/docking-lab.ts';
import { organizationId } from '../support/deployment.ts';
import { Gate, until } from '../support/gate.ts';
import { needsProgram } from '../support/programs.ts';

describe('The pages for the lab', function () {
  this.timeout(240_000);
  let lab: DockingLab;

  before(async function () {
    needsProgram(this, 'chromium');
    lab = await DockingLab.open('molecules');
  });
  after(() => lab?.close());

  /** How many batches the trail tells of. */
  const batches = async (): Promise<number> => {
    const { events } = lab.service.container.get(TOKENS.metadataDatabase);
    const range = { after: 0, types: ['job_batch.submitted'], limit: 100 } as const;
    return (await events.list(organizationId('alpha'), range)).length;
  };

  it('lead from the login to the best pose of a docking that somebody submits there', async () => {
    const visitor = await lab.enter();
    const scripts: string[] = [];
    visitor.context.on('request', (request) => scripts.push(request.url()));
    const page = await lab.logIn(visitor, '/console/');
    await page.getByRole('link', { name: 'Dock ligands' }).first().click();
    await page
      .getByLabel('Drop the receptor here')
      .setInputFiles({ name: '1iep_receptor.pdbqt', mimeType: 'chemical/x-pdbqt', buffer: RECEPTOR });
    await page.getByText('1iep_receptor.pdbqt').first().waitFor();
    await page
      .getByLabel('Drop ligands here')
      .setInputFiles({ name: 'imatinib.pdbqt', mimeType: 'chemical/x-pdbqt', buffer: LIGAND });
    await page.getByText('imatinib.pdbqt').first().waitFor();
    await page.getByLabel('From a configuration of Vina').setInputFiles(BOX_FILE);
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

    await lab.dockAll();
    await page
      .getByText(/Pose 1 of 4/)
      .first()
      .waitFor();
    await expectDrawing(page);
    // The viewer is the largest part of the console, and comes when a pose is opened.
    const isViewer = (url: string): boolean => url.includes('pose-canvas');
    expect(scripts.slice(0, before).filter(isViewer)).to.deep.equal([]);
    expect(scripts.filter(isViewer)).to.have.length(1);
    await page.getByText('MET 318 A').first().waitFor();
    await keepPicture(page, 'lab-job');

    await page.getByRole('button', { name: 'Next pose' }).click();
    await page
      .getByText(/Pose 2 of 4/)
      .first()
      .waitFor();
    expect(page.url()).to.contain('pose=2');
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

  const pdbqt = (name: string, buffer: Buffer) => ({ name, mimeType: 'chemical/x-pdbqt', buffer });
  const otherLigand = (remark: string) =>
    Buffer.from(LIGAND.toString().replace('REMARK', `REMARK  ${remark}`));

  /** Submits the ligands `a` and `b` in a campaign. The try reaches the service, and its answer is lost. */
  const submitInVain = async (page: Page): Promise<void> => {
    await page.getByLabel('Drop the receptor here').setInputFiles(pdbqt('receptor.pdbqt', RECEPTOR));
    await page.getByText('receptor.pdbqt').first().waitFor();
    await page
      .getByLabel('Drop ligands here')
      .setInputFiles([pdbqt('a.pdbqt', otherLigand('a')), pdbqt('b.pdbqt', otherLigand('b'))]);
    await page.getByText('2 chosen').waitFor();
    await page.getByLabel('From a configuration of Vina').setInputFiles(BOX_FILE);
    await page.getByLabel('Campaign, which ranks').fill('first name');
    await page.route('**/job-batches?**', async (route) => {
      await route.fetch();
      await route.abort();
    });
    await page.getByRole('button', { name: 'Submit 2 jobs' }).click();
    await page.getByText('The service does not answer').waitFor();
    await page.unroute('**/job-batches?**');
  };

  /** Of the campaign that the page shows, in the order of the alphabet. */
  const ligandsIn = async (page: Page): Promise<readonly string[]> => {
    const member = lab.service.as(lab.deployment.token('alpha', ['member']));
    const id = page.url().split('/').at(-1)?.replace(/\?.*/, '');
    const { body } = await member.get<{ readonly items: readonly { readonly label: string }[] }>(
      `/jobs?campaign_id=${id}`,
    );
    return body.items.map(({ label }) => label).toSorted();
  };

  it('make what somebody asks for at last, when the first try failed half way', async () => {
    const visitor = await lab.enter();
    const page = await lab.logIn(visitor, '/console/o/alpha/submit');
    await submitInVain(page);
    await page.getByLabel('Campaign, which ranks').fill('second name');
    await page.getByRole('button', { name: 'Submit 2 jobs' }).click();
    await page.getByRole('heading', { name: 'second name' }).waitFor({ timeout: 5000 });
    expect(await ligandsIn(page), 'each ligand once').to.deep.equal(['a', 'b']);
    await visitor.context.close();
  });

  it('make no job of a ligand twice, when others are chosen after a try that failed half way', async () => {
    const visitor = await lab.enter();
    const page = await lab.logIn(visitor, '/console/o/alpha/submit');
    await submitInVain(page);
    await page.getByRole('button', { name: 'Remove b.pdbqt' }).click();
    await page.getByText('1 chosen').waitFor();
    await page.getByLabel('Drop ligands here').setInputFiles(pdbqt('c.pdbqt', otherLigand('c')));
    await page.getByText('2 chosen').waitFor();
    await page.getByRole('button', { name: 'Submit 2 jobs' }).click();
    const said = await page.getByText('jobs are submitted').textContent();
    await page.getByRole('heading', { name: 'first name' }).waitFor({ timeout: 5000 });
    expect(await ligandsIn(page), 'each ligand once').to.deep.equal(['a', 'b', 'c']);
    expect(said).to.equal('3 jobs are submitted, with 1 of an earlier try that the form no longer has.');
    await visitor.context.close();
  });

  it('show what happened while nobody looked at them', async () => {
    const visitor = await lab.enter();
    const page = await lab.logIn(visitor, '/console/o/alpha/campaigns');
    await page.getByRole('heading', { level: 1, name: 'Campaigns' }).waitFor();
    const streams = lab.service.container.get(TOKENS.eventStreams);
    await until('the page follows what happens', () => streams.count === 1);
    await page.evaluate(hide(true));
    await until('nobody looks', () => streams.count === 0);
    const before = await batches();
    await lab.submitCampaign('made in the dark', ['one']);
    await until('the trail tells of it', async () => (await batches()) > before);
    await page.evaluate(hide(false));
    await page.getByRole('link', { name: 'made in the dark' }).waitFor({ timeout: 5000 });
    expect(visitor.faults).to.deep.equal([]);
    await visitor.context.close();
  });

  it('show what happened after they had asked and before they were told', async () => {
    const visitor = await lab.enter();
    const stream = new Gate();
    await visitor.context.route('**/events?**', async (route) => {
      await stream.pass();
      await route.continue();
    });
    const page = await lab.logIn(visitor, '/console/o/alpha/campaigns');
    await page.getByRole('heading', { level: 1, name: 'Campaigns' }).waitFor();
    await stream.reached;
    await page.getByRole('table').waitFor();
    const before = await batches();
    await lab.submitCampaign('made in between', ['one']);
    await until('the trail tells of it', async () => (await batches()) > before);
    stream.open();
    await page.getByRole('link', { name: 'made in between' }).waitFor({ timeout: 5000 });
    expect(visitor.faults).to.deep.equal([]);
    await visitor.context.close();
  });

  it('stop sending files when somebody says so, and keep those that are sent', async () => {
    const visitor = await lab.enter();
    const page = await lab.logIn(visitor, '/console/o/alpha/files');
    await page.getByRole('heading', { level: 1, name: 'Files' }).waitFor();
    let sent = 0;
    await page.route('**/files', async (route) => {
      if (route.request().method() === 'POST') sent += 1;
      // The second one never arrives.
      if (sent < 2) await route.continue();
    });
    await page.getByLabel('Drop files here').setInputFiles(
      ['first', 'second', 'third'].map((name) => ({
        name: `${name}.txt`,
        mimeType: 'text/plain',
        buffer: Buffer.from(name),
      })),
    );
    await page.getByText('Sending file 2 of 3').waitFor();
    await page.getByRole('button', { name: 'Stop sending' }).click();
    await page.getByText('Sending file').waitFor({ state: 'detached' });
    await page.getByRole('cell', { name: 'first.txt' }).waitFor();
    expect([sent, await page.getByText('second.txt').count()]).to.deep.equal([2, 0]);
    expect(visitor.faults).to.deep.equal([]);
    await visitor.context.close();
  });
});
