import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { expectUsableInEachLook, type Visitor } from '../support/browser.ts';
import { DockingLab } from '../support/docking-lab.ts';
import { needsProgram } from '../support/programs.ts';

interface Ids {
  readonly campaignId: string;
  readonly jobId: string;
}

/** Addresses of pages, and a text that is there when the page is. */
const PAGES: Readonly<Record<string, readonly [path: (ids: Ids) => string, text: string]>> = {
  home: [() => '', 'c-Abl, library 4'],
  jobs: [() => '/jobs', 'imatinib'],
  campaigns: [() => '/campaigns', 'c-Abl'],
  campaign: [({ campaignId }) => `/campaigns/${campaignId}`, 'kcal/mol'],
  job: [({ jobId }) => `/jobs/${jobId}`, 'MET 318 A'],
  log: [({ jobId }) => `/jobs/${jobId}?tab=log`, 'random seed'],
  attempts: [({ jobId }) => `/jobs/${jobId}?tab=attempts`, 'node-7'],
  submit: [() => '/submit', 'Search box'],
  files: [() => '/files', 'poses.pdbqt'],
  usage: [() => '/usage', 'Usage'],
};

describe('Each page for the lab', function () {
  this.timeout(240_000);
  let lab: DockingLab;
  let visitor: Visitor;
  let page: Page;
  let ids: Ids;

  before(async function () {
    needsProgram(this, 'chromium');
    lab = await DockingLab.open();
    const labels = ['imatinib', ...Array.from({ length: 30 }, (_, index) => `ZINC${index}`)];
    const campaignId = await lab.submitCampaign('c-Abl, library 3', labels);
    const [jobId = ''] = await lab.dockAll();
    await lab.submitCampaign('c-Abl, library 4', ['dasatinib', 'bosutinib']);
    ids = { campaignId, jobId };
    visitor = await lab.enter();
    page = await lab.logIn(visitor, '/console/o/alpha');
    await page.getByRole('heading', { level: 1, name: 'alpha' }).waitFor();
  });
  after(() => lab?.close());

  for (const [label, [pathOf, text]] of Object.entries(PAGES)) {
    it(`can be used by everybody: ${label}`, async () => {
      await page.goto(`/console/o/alpha${pathOf(ids)}`);
      await page.getByText(text).first().waitFor();
      await expectUsableInEachLook(page, `lab-${label}`);
      expect(visitor.faults).to.deep.equal([]);
    });
  }
});
