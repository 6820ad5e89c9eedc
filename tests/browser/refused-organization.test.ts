import { expect } from 'chai';
import type { Browser, Page } from 'playwright-core';
import { expectUsable, launchBrowser, visit, type Visitor } from '../support/browser.ts';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import { until } from '../support/gate.ts';
import type { Problem } from '../support/http-contract.ts';
import { HttpService, type Caller } from '../support/http-service.ts';
import { needsProgram } from '../support/programs.ts';

const REASON = 'ticket 4711';

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
    await deployment.register('healthy', 'renamed', 'locked-out', 'paused', 'behind');
    platform = service.as(deployment.token(null, ['platform_admin']));
    for (const id of ['healthy', 'renamed', 'locked-out', 'paused', 'behind'])
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

  it('walk', async () => {
    const name = deployment.databaseName('renamed');
    await deployment.administer(`alter database "${name}" rename to "${name}_old"`);
    const roles = await deployment.administer<{ rolname: string }>(
      `select r.rolname from pg_database d join pg_roles r on has_database_privilege(r.rolname, d.datname, 'connect') where d.datname = '${deployment.databaseName('locked-out')}' and r.rolname like 'mad%'`,
    );
    console.log(roles);
    for (const { rolname } of roles) await deployment.administer(`alter role "${rolname}" nologin`);
    await platform.post('/organizations/paused/suspend');
    await deployment.metadata(`update organization_databases set schema_version = 2 where org_id = 'behind'`);
    for (const id of ['renamed', 'locked-out', 'paused', 'behind']) {
      const r = await ask(id);
      console.log(id, r.status, r.body);
    }
    await page.waitForTimeout(8000);
    await expectUsable(page, 'refused-fleet');
    for (const id of ['renamed', 'locked-out', 'paused', 'behind']) {
      await page.goto(`/console/fleet/organizations/${id}`);
      await page.getByText('Schema version').waitFor();
      await expectUsable(page, `refused-${id}`);
    }
    await page.goto(`/console/fleet/findings`);
    await page.waitForTimeout(1000);
    await expectUsable(page, `refused-findings`);
    await isServed('healthy');
    expect(REASON).to.equal(REASON);
  });
});
