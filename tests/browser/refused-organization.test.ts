import { expect } from 'chai';
import type { Browser, Page } from 'playwright-core';
import { expectUsable, launchBrowser, visit, type Visitor } from '../support/browser.ts';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import { until } from '../support/gate.ts';
import type { Problem } from '../support/http-contract.ts';
import { HttpService, type Caller } from '../support/http-service.ts';
import { needsProgram } from '../support/programs.ts';

const WITH_ROLES = { DB_ORG_ROLES: 'true', DB_ROLE_SECRET: 'a secret for roles that is long enough' };

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
    service = await HttpService.running(deployment.start(WITH_ROLES));
    await deployment.register('gone', 'paused', 'behind', 'locked', 'unmade');
    platform = service.as(deployment.token(null, ['platform_admin']));
    for (const id of ['gone', 'paused', 'behind', 'locked'])
      await platform.post(`/admin/databases/${id}/provision`);
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

  it('is seen where its database is gone, and mended by an empty one, when nobody has a backup', async () => {
    const name = deployment.databaseName('gone');
    await deployment.administer(`drop database "${name}" with (force)`);
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
    // There is no backup of it.
    await page.getByRole('row').getByRole('link', { name: 'gone' }).click();
    await page.getByRole('button', { name: 'Retire the database…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Why?').fill('lost with its server');
    await dialog.getByLabel('Type gone').fill('gone');
    await dialog.getByRole('button', { name: 'Retire it' }).click();
    await page.getByText('The database of gone was gone already').waitFor();
    await page.getByRole('button', { name: 'Make it now' }).click();
    await page.getByText('The database of gone is ready').waitFor();
    await isServed('gone');
    expect(visitor.faults).to.deep.equal([]);
  });

  it('is seen where its role may not log in, and mended by what is safe', async () => {
    const [role] = await deployment.administer<{ rolname: string }>(
      `select rolname from pg_roles, pg_database where datname = $1 and rolcanlogin and not rolsuper
         and has_database_privilege(rolname, datname, 'connect')`,
      [deployment.databaseName('locked')],
    );
    await deployment.administer(`alter role "${role?.rolname}" nologin`);
    await deployment.administer('select pg_terminate_backend(pid) from pg_stat_activity where usename = $1', [
      role?.rolname,
    ]);
    await until('it is refused', async () => (await ask('locked')).status === 503);
    const item = page.locator('.attention li', { hasText: 'locked (' });
    await item.getByRole('link', { name: 'Open findings' }).click();
    await page.getByRole('button', { name: 'Compare now (dry run)' }).click();
    await page.getByText('somebody took the role').waitFor();
    await expectUsable(page, 'refused-findings-locked');
    await page.getByRole('button', { name: 'Mend what is safe…' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Mend' }).click();
    await page.getByText('1 finding.').waitFor();
    await isServed('locked');
    expect(visitor.faults).to.deep.equal([]);
  });

  it('is seen where its database could not be made, and mended by another try', async () => {
    await deployment.metadata(
      `insert into organization_databases (org_id, database_name, state, last_error) values ('unmade', $1, 'failed', $2)`,
      deployment.databaseName('unmade'),
      'no space left on device',
    );
    const item = page.locator('.attention li', { hasText: 'could not be made' });
    await item.getByRole('link', { name: 'Show them' }).click();
    await page.getByText('no space left on device').waitFor();
    await page.getByRole('row').getByRole('link', { name: 'unmade' }).click();
    await page.getByRole('button', { name: 'Try again to make it' }).click();
    await page.getByText('The database of unmade is ready').waitFor();
    await isServed('unmade');
    expect(visitor.faults).to.deep.equal([]);
  });
});
