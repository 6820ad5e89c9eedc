import { expect } from 'chai';
import { keepPicture } from '../support/browser.ts';
import { DockingLab, EMAIL, expectDrawing, PASSWORD, WITHOUT_DRAWING } from '../support/docking-lab.ts';
import { needsProgram } from '../support/programs.ts';

const LABELS = [
  'imatinib',
  'nilotinib',
  'ponatinib',
  ...Array.from({ length: 40 }, (_, index) => `ZINC${String(3_831_234 + 7 * index).padStart(9, '0')}`),
];

describe('The ranking of a campaign in the console', function () {
  this.timeout(240_000);
  let lab: DockingLab;
  let campaignId: string;

  before(async function () {
    needsProgram(this, 'chromium');
    lab = await DockingLab.open('molecules');
    campaignId = await lab.submitCampaign('c-Abl, library 3', LABELS);
    await lab.dockAll();
  });
  after(() => lab?.close());

  it('stands beside the pose, and all of it is in the address', async () => {
    const visitor = await lab.enter();
    // Each change of a drawing takes seconds here: the address says it all at once.
    const show = 'residues,distances,all,surface,box';
    const page = await lab.logIn(visitor, `/console/o/alpha/campaigns/${campaignId}?show=${show}`);
    await page.getByRole('button', { name: 'nilotinib' }).click();
    await page
      .getByText(/Pose 1 of 4/)
      .first()
      .waitFor();
    await page.getByRole('button', { name: 'Next pose' }).click();
    await page.waitForURL(/pose=2/);
    await expectDrawing(page);
    await keepPicture(page, 'lab-campaign');
    const table = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Table (CSV)' }).click();
    expect((await table).suggestedFilename()).to.match(/\.csv$/);
    expect(visitor.faults).to.deep.equal([]);
    await visitor.context.addInitScript(WITHOUT_DRAWING);
    const same = await visitor.context.newPage();
    await same.goto(page.url());
    await same
      .getByText(/Pose 2 of 4/)
      .first()
      .waitFor();
    expect(await same.getByLabel('Surface').isChecked()).to.equal(true);
    await visitor.context.close();
  });

  it('is found, narrowed and walked through by keys alone', async () => {
    const visitor = await lab.enter();
    await visitor.context.addInitScript(WITHOUT_DRAWING);
    const page = await visitor.open('/console/');
    const { keyboard } = page;
    // The focus goes from field to field, as Tab leads it.
    const tabTo = async (name: RegExp): Promise<void> => {
      for (let steps = 0; steps < 60; steps += 1) {
        await keyboard.press('Tab');
        const focused = await page.evaluate<string>(FOCUSED_NAME);
        if (name.test(focused)) return;
      }
      throw new Error(`Tab never comes to ${name.source}`);
    };
    await page.getByLabel('Email').waitFor();
    await tabTo(/^Email/);
    await keyboard.type(EMAIL);
    await tabTo(/^Password/);
    await keyboard.type(PASSWORD);
    await keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'alpha' }).waitFor();
    await keyboard.press('g');
    await keyboard.press('c');
    await page.getByRole('link', { name: 'c-Abl, library 3' }).first().waitFor();
    await tabTo(/^c-Abl, library 3/);
    await keyboard.press('Enter');
    const grid = page.getByRole('grid', { name: 'Ranking' });
    await grid.waitFor();
    await tabTo(/^From, kcal/);
    for (let steps = 0; steps < 3; steps += 1) await keyboard.press('ArrowRight');
    await page.waitForURL(/min=-/);
    await tabTo(/^To, kcal/);
    await keyboard.press('ArrowLeft');
    await page.waitForURL(/max=-/);
    // A link says the same to somebody else.
    const { searchParams } = new URL(page.url());
    const [min, max] = [Number(searchParams.get('min')), Number(searchParams.get('max'))];
    const member = lab.service.as(lab.deployment.token('alpha', ['member']));
    const query = `min_affinity=${min}&max_affinity=${max}&limit=200`;
    const { body } = await member.get<{ readonly items: readonly { readonly label: string }[] }>(
      `/campaigns/${campaignId}/results?${query}`,
    );
    expect(body.items.length).to.be.within(1, LABELS.length - 2);
    await page.locator(`[role=grid][aria-rowcount="${body.items.length + 1}"]`).waitFor();
    await tabTo(/^Ranking/);
    await keyboard.press('ArrowDown');
    await keyboard.press('ArrowDown');
    await page.locator('[aria-selected=true]', { hasText: body.items[1]?.label ?? '' }).waitFor();
    await page
      .getByText(/Pose 1 of 4/)
      .first()
      .waitFor();
    await tabTo(/^Next pose/);
    await keyboard.press('Enter');
    await page.waitForURL(/pose=2/);
    expect(visitor.faults).to.deep.equal([]);
    await visitor.context.close();
  });
});

/** What a screen reader would say of the element that has the focus, or nearly so. */
const FOCUSED_NAME = `(() => {
  const focused = document.activeElement;
  return focused?.ariaLabel ?? focused?.labels?.[0]?.textContent ?? focused?.textContent ?? '';
})()`;
