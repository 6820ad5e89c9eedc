import { expect } from 'chai';
import { expectUsable, LOOKS } from '../support/browser.ts';
import { DockingLab, WITHOUT_DRAWING } from '../support/docking-lab.ts';
import { needsProgram } from '../support/programs.ts';

describe('Each page for the lab', function () {
  this.timeout(240_000);
  let lab: DockingLab;
  let pages: Readonly<Record<string, string>>;

  before(async function () {
    needsProgram(this, 'chromium');
    lab = await DockingLab.open();
    const labels = ['imatinib', ...Array.from({ length: 30 }, (_, index) => `ZINC${index}`)];
    const campaignId = await lab.submitCampaign('c-Abl, library 3', labels);
    const [jobId = ''] = await lab.dockAll();
    await lab.submitCampaign('c-Abl, library 4', ['dasatinib', 'bosutinib']);
    pages = {
      '': 'c-Abl, library 4',
      '/jobs': 'imatinib',
      '/campaigns': 'c-Abl',
      [`/campaigns/${campaignId}`]: 'kcal/mol',
      [`/jobs/${jobId}`]: 'MET 318 A',
      [`/jobs/${jobId}?tab=log`]: 'random seed',
      [`/jobs/${jobId}?tab=attempts`]: 'node-7',
      '/submit': 'Search box',
      '/files': 'poses.pdbqt',
      '/usage': 'Usage',
    };
  });
  after(() => lab?.close());

  for (const look of LOOKS) {
    it(`can be used by everybody: ${look.theme}, ${look.width} wide`, async () => {
      const visitor = await lab.enter(look);
      await visitor.context.addInitScript(WITHOUT_DRAWING);
      const page = await lab.logIn(visitor, '/console/o/alpha');
      await page.getByRole('heading', { level: 1, name: 'alpha' }).waitFor();
      for (const [index, [path, text]] of Object.entries(pages).entries()) {
        await page.goto(`/console/o/alpha${path}`);
        await page.getByText(text).first().waitFor();
        await expectUsable(
          page,
          `lab-${index}${path.replaceAll(/[\da-f-]{36}/g, '')}-${look.theme}-${look.width}`,
        );
      }
      expect(visitor.faults).to.deep.equal([]);
      await visitor.context.close();
    });
  }
});
