import { expect } from 'chai';
import type { Browser, Page } from 'playwright-core';
import { expectUsable, launchBrowser, visit, type Visitor } from '../support/browser.ts';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import { until } from '../support/gate.ts';
import type { Problem } from '../support/http-contract.ts';
import { HttpService, type Caller } from '../support/http-service.ts';
import { needsProgram } from '../support/programs.ts';

/** Each begins at the page that operators open in the morning, and ends when the organization is served again. */
describe('Why an organization is refused', function () {
  this.timeout(240_000);
  let deployment: Deployment;
  let service: HttpService;
  let browser: Browser;
  let platform: Caller;
  let visitor: Visitor;
  let page: Page;

  before(async function () {
    needsProgram(this, 'chromium');
    deployment = await createDeployment();
    service = await HttpService.running(deployment.start());
    await deployment.register('gone', 'paused', 'behind');
    platform = service.as(deployment.token(null, ['platform_admin']));
    for (const id of ['gone', 'paused', 'behind']) await platform.post(`/admin/databases/${id}/provision`);
    browser = await launchBrowser();
  });
  beforeEach(async () => {
    visitor = await visit(browser, service.url);
    page = await visitor.open(`/console/#operator=${deployment.token(null, ['platform_admin'])}`);
    await page.getByRole('heading', { name: 'Needs you' }).waitFor();
  });
  afterEach(async () => {
    await visitor?.context.close();
  });
  after(async () => {
    await browser?.close();
    await service?.close();
    await deployment?.dispose();
  });

  const ask = (id: string) => service.as(deployment.token(id, ['member'])).get<Problem>('/jobs');
  const isServed = (id: string) => until(`${id} is served`, async () => (await ask(id)).status === 200);

  it('is seen where it was suspended, and ended by one press', async () => {
    await platform.post('/organizations/paused/suspend');
    expect((await ask('paused')).body.code).to.equal('organization_suspended');
    await page.locator('.tile', { hasText: /^1\s*suspended/ }).click();
    await page.getByRole('link', { name: 'paused' }).click();
    await page.getByRole('button', { name: 'Resume' }).click();
    await page.getByText('paused is served again').waitFor();
    await isServed('paused');
    expect(visitor.faults).to.deep.equal([]);
  });

  it('is seen where its schema is too old, and mended by a migration', async () => {
    await deployment.metadata(`update organization_databases set schema_version = 2 where org_id = 'behind'`);
    await until('it is refused', async () => (await ask('behind')).body.code === 'organization_not_ready');
    const item = page.locator('.attention li', { hasText: 'older than this release' });
    await item.waitFor();
    await expectUsable(page, 'refused-fleet-schema');
    await item.getByRole('link', { name: 'Open migrations' }).click();
    await page.getByRole('button', { name: 'Plan a migration…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Migrate 1 organization' }).click();
    await page.getByText('finished').first().waitFor();
    await isServed('behind');
    expect(visitor.faults).to.deep.equal([]);
  });

  it('is seen where its database is gone, with what to do about it', async () => {
    const name = deployment.databaseName('gone');
    await deployment.administer(`alter database "${name}" rename to "${name}_lost"`);
    expect((await ask('gone')).status).to.equal(503);
    const item = page.locator('.attention li', { hasText: 'gone' }).first();
    await item.waitFor();
    await expectUsable(page, 'refused-fleet-gone');
    await item.getByRole('link', { name: 'gone' }).click();
    await page.getByText('Schema version').waitFor();
    // The page says it as well: by the ledger all is well.
    await page.getByText('gone (database_unavailable)').waitFor();
    await expectUsable(page, 'refused-organization-gone');
    await page.getByRole('link', { name: 'Open findings' }).click();
    await page.getByRole('button', { name: 'Compare now (dry run)' }).click();
    await page.getByText('the server does not have it').waitFor();
    await expectUsable(page, 'refused-findings-gone');
    await deployment.administer(`alter database "${name}_lost" rename to "${name}"`);
    await isServed('gone');
    expect(visitor.faults).to.deep.equal([]);
  });
});
