import { expect } from 'chai';
import type { Browser, Page } from 'playwright-core';
import { Argon2Passwords } from '../../adapters/argon2/argon2-passwords.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { DESK, hide, launchBrowser, visit, type Visitor } from '../support/browser.ts';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import { until } from '../support/gate.ts';
import { HttpService, type Caller } from '../support/http-service.ts';
import { needsProgram } from '../support/programs.ts';

const PASSWORD = 'correct horse battery';
const OPERATOR = 'grace@ops.example';
/** Within `PRINTABLE`: what a name may hold that a page, an address or a table could stumble over. */
const NAME =
  `"><script>x</script> & 'Ünï' <b>% \\ \` {{7*7}} \${1} مختبر 実験室 🧪 ${'long '.repeat(20)}`.trim();
/** As long as an id may be with the databases' names of these tests. */
const LONGEST_ID = `a-0-${'z'.repeat(47)}`;

describe('Tabs of operators', function () {
  this.timeout(180_000);
  let deployment: Deployment;
  let service: HttpService;
  let browser: Browser;
  let platform: Caller;
  let visitor: Visitor;

  before(async function () {
    needsProgram(this, 'chromium');
    deployment = await createDeployment();
    service = await HttpService.running(deployment.start());
    await deployment.register('alpha');
    platform = service.as(deployment.token(null, ['platform_admin']));
    const passwordHash = await new Argon2Passwords().hash(PASSWORD);
    const { users } = service.container.get(TOKENS.metadataDatabase);
    await users.ensureUser({ email: OPERATOR, passwordHash, platformAdmin: true });
    browser = await launchBrowser();
  });
  afterEach(async () => {
    await visitor?.context.close();
  });
  after(async () => {
    await browser?.close();
    await service?.close();
    await deployment?.dispose();
  });

  const enter = async (expected?: RegExp): Promise<void> => {
    visitor = await visit(browser, service.url, DESK, expected);
  };
  const startLink = (): string => `/console/#operator=${deployment.token(null, ['platform_admin'])}`;
  const streams = (): number => service.container.get(TOKENS.operatorStreams).count;
  const tile = (page: Page, label: string): Promise<string> =>
    page.locator('.tile', { hasText: label }).locator('strong').first().innerText();

  it('show what happens as it happens, and ask for nothing meanwhile', async () => {
    await enter();
    const page = await visitor.open(startLink());
    await page.getByText('suspended').first().waitFor();
    await until('the stream is there', () => streams() === 1);
    let asked = 0;
    page.on('request', (request) => (asked += Number(request.url().endsWith('/admin/overview'))));
    await platform.post('/organizations/alpha/suspend');
    await until('it is shown', async () => (await tile(page, 'suspended')) === '1');
    await platform.post('/organizations/alpha/resume');
    await until('that is shown too', async () => (await tile(page, 'suspended')) === '0');
    expect(asked).to.equal(0);
    expect(visitor.faults).to.deep.equal([]);
  });

  it('of which eight are open all load, as only the one that is seen has a stream', async () => {
    await enter();
    const first = await visitor.open(startLink());
    await first.getByRole('heading', { name: 'Needs you' }).waitFor();
    const token = deployment.token(null, ['platform_admin']);
    for (let tabs = 2; tabs <= 8; tabs += 1) {
      for (const page of visitor.context.pages()) await page.evaluate(hide(true));
      const page = await visitor.open(`/console/#operator=${token}`);
      await page.getByRole('heading', { name: 'Needs you' }).waitFor();
    }
    await until('one stream is left', () => streams() === 1);
    for (const page of visitor.context.pages()) await page.evaluate(hide(true));
    await until('none is left when nobody looks', () => streams() === 0);
    await platform.post('/organizations/alpha/suspend');
    await first.evaluate(hide(false));
    await until('who looks again sees how it is', async () => (await tile(first, 'suspended')) === '1');
    await platform.post('/organizations/alpha/resume');
    expect(visitor.faults).to.deep.equal([]);
  });

  it('stay logged in over reloads and a restart, and a stop does not wait for them', async () => {
    const port = new URL(service.url).port;
    await enter(/Failed to load resource|ERR_|TypeError: /);
    const first = await visitor.open('/console/');
    await first.getByLabel('Email').fill(OPERATOR);
    await first.getByLabel('Password').fill(PASSWORD);
    await first.keyboard.press('Enter');
    await first.getByRole('heading', { name: 'Needs you' }).waitFor();
    const second = await visitor.open('/console/fleet');
    for (let reload = 0; reload < 5; reload += 1) await second.reload({ waitUntil: 'domcontentloaded' });
    await second.getByRole('heading', { name: 'Needs you' }).waitFor();
    await until('both have a stream', () => streams() === 2);

    const since = performance.now();
    await service.close();
    expect(performance.now() - since).to.be.below(5000);
    service = await HttpService.running(deployment.start({ PORT: port }));
    platform = service.as(deployment.token(null, ['platform_admin']));
    await until('both streams are back', () => streams() === 2);
    await platform.post('/organizations/alpha/suspend');
    for (const page of [first, second])
      await until('it is shown', async () => (await tile(page, 'suspended')) === '1');
    await platform.post('/organizations/alpha/resume');
    await first.reload();
    await first.getByRole('heading', { name: 'Needs you' }).waitFor();
  });

  it('show every name as it is written, and go to every id', async () => {
    await enter();
    const page = await visitor.open(startLink());
    await page.goto('/console/fleet/organizations');
    await page.getByRole('button', { name: 'New organization' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel(/^Id/).fill(LONGEST_ID);
    await dialog.getByLabel('Name').fill(NAME);
    await dialog.getByRole('button', { name: 'Register it' }).click();
    await page.getByRole('link', { name: LONGEST_ID }).click();
    await page.getByRole('heading', { level: 1 }).getByText(NAME).waitFor();
    expect(new URL(page.url()).pathname).to.equal(`/console/fleet/organizations/${LONGEST_ID}`);
    await page.goto(`/console/fleet/organizations?q=${encodeURIComponent(NAME.slice(0, 30))}`);
    const opened = visitor.context.waitForEvent('page');
    await page.getByRole('link', { name: LONGEST_ID }).click({ modifiers: ['ControlOrMeta'] });
    expect(new URL((await opened).url()).pathname).to.equal(`/console/fleet/organizations/${LONGEST_ID}`);
    expect(page.url(), 'this tab stays').to.contain('?q=');
    expect(visitor.faults).to.deep.equal([]);
  });

  it('are led by keys alone: from the fleet to an organization, which is suspended and served again', async () => {
    await enter();
    const page = await visitor.open(startLink());
    await page.getByRole('heading', { name: 'Needs you' }).waitFor();
    const { keyboard } = page;
    await keyboard.press('g');
    await keyboard.press('o');
    await page.getByRole('link', { name: 'alpha' }).waitFor();
    await keyboard.press('/');
    await keyboard.type('alph');
    await page.waitForURL(/q=alph/);
    /** Whoever sees where the focus is goes on until it is there. */
    const tabTo = async (name: string): Promise<void> => {
      for (let steps = 0; steps < 60; steps += 1) {
        const focused = await page.evaluate<string>('document.activeElement?.textContent?.trim() ?? ""');
        if (focused === name) return;
        await keyboard.press('Tab');
      }
      throw new Error(`the keys do not reach "${name}"`);
    };
    await page.evaluate('window.sameDocument = true');
    await page.locator('section.table').focus();
    await keyboard.press('j');
    await keyboard.press('Enter');
    await page.getByRole('button', { name: 'Suspend' }).waitFor();
    expect(await page.evaluate('window.sameDocument'), 'a link of a row loads no document').to.equal(true);
    await tabTo('Suspend');
    await keyboard.press('Space');
    await page.getByText('alpha is suspended').waitFor();
    await tabTo('Undo');
    await keyboard.press('Enter');
    await page.getByText('alpha is served again').waitFor();
    expect(visitor.faults).to.deep.equal([]);
  });

  for (const minutes of [5, -5])
    it(`show ages by the clock of the service, with one that is ${minutes} minutes ahead`, async () => {
      await enter();
      await visitor.context.addInitScript(
        `{ const now = Date.now; Date.now = () => now() + ${minutes * 60_000}; }`,
      );
      const page = await visitor.open(startLink());
      await platform.patch('/organizations/alpha', { name: `Alpha ${minutes}` });
      await page.goto('/console/fleet/organizations/alpha');
      await page.getByText(`Alpha ${minutes}`).waitFor();
      const changed = page.getByText('Changed', { exact: true }).locator('xpath=following-sibling::dd');
      expect(await changed.innerText()).to.match(/^(?:just )?now$|^\d+ s ago$/);
      expect(visitor.faults).to.deep.equal([]);
    });
});
