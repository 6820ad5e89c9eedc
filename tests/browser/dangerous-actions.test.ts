import { expect } from 'chai';
import type { Browser, Locator, Page } from 'playwright-core';
import { Argon2Passwords } from '../../adapters/argon2/argon2-passwords.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import {
  DESK,
  expectUsable,
  keepPicture,
  launchBrowser,
  PAUSE_LIVE,
  visit,
  type Visitor,
} from '../support/browser.ts';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import { until } from '../support/gate.ts';
import type { AuditEntry, Page as ListPage } from '../support/http-contract.ts';
import { HttpService, type Caller } from '../support/http-service.ts';
import { needsProgram } from '../support/programs.ts';

const PASSWORD = 'correct horse battery';
const OPERATOR = 'grace@ops.example';
const REASON = 'wrong project · falsches Projekt';

describe('What operators cannot take back', function () {
  this.timeout(120_000);
  let deployment: Deployment;
  let service: HttpService;
  let browser: Browser;
  let platform: Caller;
  let userId: string;

  before(async function () {
    needsProgram(this, 'chromium');
    deployment = await createDeployment();
    service = await HttpService.running(deployment.start());
    await deployment.register('alpha', 'beta');
    platform = service.as(deployment.token(null, ['platform_admin']));
    const passwordHash = await new Argon2Passwords().hash(PASSWORD);
    const { users } = service.container.get(TOKENS.metadataDatabase);
    ({ userId } = await users.ensureUser({ email: OPERATOR, passwordHash, platformAdmin: true }));
    await platform.post('/admin/databases/alpha/provision');
    browser = await launchBrowser();
  });
  after(async () => {
    await browser?.close();
    await service?.close();
    await deployment?.dispose();
  });

  /** Somebody who logged in an hour ago. */
  const enter = async (path: string): Promise<{ visitor: Visitor; page: Page }> => {
    const visitor = await visit(browser, service.url, DESK, /Failed to load resource: .* (?:401|409|422)/);
    const page = await visitor.open(path);
    await page.getByLabel('Email').fill(OPERATOR);
    await page.getByLabel('Password').fill(PASSWORD);
    await page.keyboard.press('Enter');
    await page.getByText(OPERATOR).first().waitFor();
    await deployment.metadata(
      `update sessions set expires_at = expires_at - interval '1 hour' where user_id = $1`,
      userId,
    );
    await page.reload();
    return { visitor, page };
  };
  const fill = async (dialog: Locator, answers: Readonly<Record<string, string>>): Promise<void> => {
    for (const [label, text] of Object.entries(answers)) await dialog.getByLabel(label).fill(text);
  };
  const shown = (dialog: Locator, name: string, value: number): Promise<void> =>
    dialog.getByText(`${name}${value}`, { exact: true }).waitFor();
  const generation = async (): Promise<number> =>
    (await platform.get<{ generation: number }>('/admin/databases/alpha')).body.generation;

  it('asks for a reason, the id and the password, and the trail has the reason', async () => {
    const { visitor, page } = await enter('/console/fleet/organizations/alpha');
    await page.getByRole('button', { name: 'Retire the database…' }).click();
    const dialog = page.getByRole('dialog');
    const act = dialog.getByRole('button', { name: 'Retire it' });
    await dialog.getByText('loses all its jobs and results').waitFor();
    expect(await act.isDisabled()).to.equal(true);
    await fill(dialog, { 'Type alpha': 'alpha', 'Your password': PASSWORD });
    expect(await act.isDisabled(), 'without a reason').to.equal(true);
    await fill(dialog, { 'Why?': REASON, 'Type alpha': 'alphabet' });
    expect(await act.isDisabled(), 'with another id').to.equal(true);
    await fill(dialog, { 'Type alpha': 'alpha', 'Your password': '' });
    expect(await act.isDisabled(), 'without a password').to.equal(true);
    await fill(dialog, { 'Your password': 'a wrong password' });
    await expectUsable(page, 'danger-retire-dialog');
    await act.click();
    await dialog.getByText('is not the present password').waitFor();
    const before = await generation();
    expect(await deployment.databases()).to.include(deployment.databaseName('alpha'));

    await fill(dialog, { 'Your password': PASSWORD });
    await act.click();
    await page.getByText(/The database of alpha is now .*retired/).waitFor();
    expect(await generation()).to.equal(before + 1);
    const { body } = await platform.get<ListPage<AuditEntry>>(
      '/admin/audit-logs?org_id=alpha&action=database.retirement_requested',
    );
    expect(body.items[0]?.details).to.deep.include({ reason: REASON });
    expect(body.items[0]?.user_id).to.equal(userId);
    await page.getByRole('link', { name: 'Audit trail' }).last().click();
    await page.getByText('database.retirement_requested').waitFor();
    await keepPicture(page, 'danger-trail');
    expect(visitor.faults).to.deep.equal([]);
    await visitor.context.close();
  });

  it('is not done from a tab that is out of date: it says so, and shows what is there now', async () => {
    await platform.post('/admin/databases/alpha/provision');
    const { visitor, page: first } = await enter('/console/fleet/organizations/alpha');
    // As it was when somebody went for lunch.
    await visitor.context.addInitScript(PAUSE_LIVE);
    const second = await visitor.open('/console/fleet/organizations/alpha');
    await second.getByRole('button', { name: 'Suspend' }).waitFor();
    await first.getByRole('button', { name: 'Suspend' }).click();
    await first.getByText('alpha is suspended').waitFor();
    await second.getByRole('button', { name: 'Suspend' }).click();
    await second.getByText('nothing was done').waitFor();
    await second.getByRole('button', { name: 'Resume' }).waitFor();
    await keepPicture(second, 'stale-suspend');
    await first.getByRole('button', { name: 'Undo' }).click();
    await first.getByText('alpha is served again').waitFor();

    await second.reload();
    await second.getByRole('button', { name: 'Retire the database…' }).click();
    const dialog = second.getByRole('dialog');
    const seen = await generation();
    await shown(dialog, 'Generation', seen);
    await platform.post('/admin/databases/alpha/retire', { seen_generation: seen });
    await platform.post('/admin/databases/alpha/provision');
    await fill(dialog, { 'Why?': REASON, 'Type alpha': 'alpha', 'Your password': PASSWORD });
    await dialog.getByRole('button', { name: 'Retire it' }).click();
    await dialog.getByText('nothing was done').waitFor();
    await shown(dialog, 'Generation', seen + 1);
    expect(await dialog.getByRole('button', { name: 'Retire it' }).isDisabled(), 'decide anew').to.equal(
      true,
    );
    await keepPicture(second, 'stale-retire');
    expect(await generation()).to.equal(seen + 1);
    expect(visitor.faults).to.deep.equal([]);
    await visitor.context.close();
  });

  it('logs somebody out everywhere', async () => {
    const { visitor, page } = await enter('/console/fleet/people');
    await page.getByRole('link', { name: OPERATOR }).click();
    await page.getByRole('heading', { name: OPERATOR }).waitFor();
    await page.getByText('a browser').first().waitFor();
    await expectUsable(page, 'person');
    await page.getByRole('button', { name: 'End all sessions…' }).click();
    const dialog = page.getByRole('dialog');
    await fill(dialog, { 'Why?': REASON, [`Type ${OPERATOR}`]: OPERATOR, 'Your password': PASSWORD });
    await dialog.getByRole('button', { name: 'End them' }).click();
    await page.getByText('The session is over').waitFor();
    const { body } = await platform.get<{ items: unknown[] }>(`/users/${userId}/sessions`);
    expect(body.items).to.deep.equal([]);
    expect(visitor.faults).to.deep.equal([]);
    await visitor.context.close();
  });

  it('leaves what can be taken back to everybody who may: the settings of an organization', async () => {
    const { visitor, page } = await enter('/console/fleet/organizations/beta?tab=settings');
    const field = page.getByLabel('Jobs that wait');
    await field.fill('50');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('hold in every process').waitFor();
    await expectUsable(page, 'organization-settings');
    const settings = async () =>
      (await platform.get<{ settings: object }>('/organizations/beta/settings')).body.settings;
    expect(await settings()).to.deep.equal({ max_pending_jobs: 50 });
    await page.getByLabel('One statement').fill('99999999');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('statement_timeout_ms').first().waitFor();
    await page.getByRole('button', { name: 'Reset' }).click();
    await field.fill('');
    // Somebody else is faster.
    await platform.patch('/organizations/beta/settings', { settings: { work_weight: 50 } });
    await page.getByRole('button', { name: 'Save' }).click();
    await until('the page shows what the other one wrote', async () => {
      const weight = page.getByLabel('Share of worker fleets');
      return (await weight.inputValue()) === '50';
    });
    expect(await settings()).to.deep.equal({ max_pending_jobs: 50, work_weight: 50 });
    await visitor.context.close();
  });
});
