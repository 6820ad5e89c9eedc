import { expect } from 'chai';
import type { Browser, Page } from 'playwright-core';
import { expectUsable, launchBrowser, visit } from '../support/browser.ts';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import { HttpService } from '../support/http-service.ts';
import { needsProgram } from '../support/programs.ts';

const PASSWORD = 'correct horse battery';
const CHOSEN = 'another horse battery';
const OPERATOR = 'grace@ops.example';

describe('A session in the console', function () {
  this.timeout(120_000);
  let deployment: Deployment;
  let service: HttpService;
  let browser: Browser;

  before(async function () {
    needsProgram(this, 'chromium');
    deployment = await createDeployment();
    service = await HttpService.running(deployment.start());
    await deployment.register('alpha');
    await service
      .as(deployment.token(null, ['platform_admin']))
      .post('/users', { email: OPERATOR, password: PASSWORD, platform_admin: true });
    browser = await launchBrowser();
  });
  after(async () => {
    await browser?.close();
    await service?.close();
    await deployment?.dispose();
  });

  const heading = (page: Page, name: string) => page.getByRole('heading', { name, level: 1 });

  it('begins with a password that has to be changed, and outlives reloads, tabs and no logout', async () => {
    // The browser itself reports answers that are errors, which these are on purpose.
    const { open, faults } = await visit(
      browser,
      service.url,
      undefined,
      /Failed to load resource: .* (?:40[13]|503)/,
    );
    const page = await open('/console/fleet/organizations/alpha');
    await page.getByLabel('Email').fill(OPERATOR);
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await page.keyboard.press('Enter');
    await page.getByLabel(/^New password/).fill(CHOSEN);
    await page.keyboard.press('Enter');
    // Whoever followed a link is where it leads to.
    await heading(page, 'alpha').waitFor();
    for (let reload = 0; reload < 5; reload += 1) await page.reload();
    const second = await open('/console/');
    await heading(second, 'Fleet').waitFor();
    await heading(page, 'alpha').waitFor();

    // Suspending asks nothing, and can be taken back.
    await page.getByRole('button', { name: 'Suspend' }).click();
    await page.getByText('is suspended: its results are served to nobody').waitFor();
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByText('alpha is served again').waitFor();

    // A link that somebody else sent makes nobody another person unasked, in a new tab or in this one.
    const link = `#member=${deployment.token('alpha', ['member'])}`;
    const third = await open(`/console/${link}`);
    await third.getByText('This link is for somebody else').waitFor();
    expect(third.url()).not.to.include('member=');
    await expectUsable(third, 'link-question');
    await third.getByRole('button', { name: `Stay ${OPERATOR}` }).click();
    await heading(third, 'Fleet').waitFor();
    await third.evaluate(`location.hash = ${JSON.stringify(link)}`);
    await third.getByRole('button', { name: 'Go on as member of alpha' }).click();
    await third.goto('/console/');
    await third.getByRole('link', { name: 'Dock ligands' }).first().waitFor();
    await second.reload();
    await heading(second, 'Fleet').waitFor();

    // Nobody leaves a shared machine with a session that goes on.
    const logOut = async (): Promise<void> => {
      await second.getByText(OPERATOR).click();
      await second.getByRole('button', { name: 'Log out' }).click();
    };
    const isEnd = (url: URL): boolean => url.pathname === '/console/session';
    await second.route(isEnd, (route) => route.fulfill({ status: 503, json: { detail: 'No database.' } }));
    await logOut();
    await second.getByText('You are still logged in. No database.').waitFor({ timeout: 5000 });
    await second.unroute(isEnd);
    await logOut();
    await second.getByLabel('Email').waitFor();
    // Whoever looks at another tab sees it there.
    await page.getByLabel('Email').waitFor();
    expect(faults).to.deep.equal([]);
  });

  it('is not that of a cookie which another site of the domain has planted', async () => {
    const { context, open, faults } = await visit(browser, service.url);
    const { headers } = await service.call('POST', '/console/session', {
      headers: { 'Sec-Fetch-Site': 'same-origin' },
      body: { email: OPERATOR, password: CHOSEN },
    });
    const [, value = ''] = /^mad_session=([\w-]+)/.exec(String(headers['set-cookie'])) ?? [];
    await context.addCookies([{ name: 'mad_session', value, url: `${service.url}/console/session` }]);
    const page = await open('/console/');
    await page.getByLabel('Email').waitFor();
    await page.evaluate(`localStorage.setItem('mad.person', 'who logged in here, which is somebody else')`);
    await page.reload();
    await page.getByLabel('Email').waitFor();
    expect(faults).to.deep.equal([]);
  });

  it('by the link of the start leaves nothing in the address, and is led by keys alone', async () => {
    const { open, faults } = await visit(browser, service.url);
    const page = await open(`/console/#operator=${deployment.token(null, ['platform_admin'])}`);
    await heading(page, 'Fleet').waitFor();
    expect(page.url()).not.to.include('operator');
    await page.reload();
    await heading(page, 'Fleet').waitFor();
    await page.keyboard.press('g');
    await page.keyboard.press('o');
    await heading(page, 'Organizations').waitFor();
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: /A page/ }).waitFor();
    await page.keyboard.type('alph');
    await page.getByRole('option', { name: /alpha/ }).waitFor();
    await page.keyboard.press('Enter');
    await heading(page, 'alpha').waitFor();
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(faults).to.deep.equal([]);
  });
});
