import { expect } from 'chai';
import type { Browser, Page } from 'playwright-core';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import {
  expectUsableInEachLook,
  launchBrowser,
  PAUSE_LIVE,
  visit,
  type Visitor,
} from '../support/browser.ts';
import { decorate } from '../support/decorate.ts';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import { HttpService } from '../support/http-service.ts';
import { needsProgram } from '../support/programs.ts';

const DORMANT = 200;
/** Statements of the metadata database that a page may cost, beside those of the token that comes with each request. */
const MOST_STATEMENTS = 3;

/** A list of a hundred ages has one. */
const MOST_TIMERS = 5;
const COUNT_TIMERS = `{
  const set = window.setInterval;
  window.timers = 0;
  window.setInterval = (...given) => { window.timers += 1; return set(...given); };
}`;

const PAGES: Readonly<Record<string, string>> = {
  '/fleet': 'Needs you',
  '/fleet/organizations': 'dormant-1',
  '/fleet/organizations?q=dormant-19&sort=name': 'dormant-199',
  '/fleet/organizations/alpha': 'Schema version',
  '/fleet/organizations/alpha?tab=members': 'ada@alpha.example',
  '/fleet/organizations/alpha?tab=audit': 'organization.resumed',
  '/fleet/servers': 'answers',
  '/fleet/processes': 'answers this page',
  '/fleet/migrations': 'finished',
  '/fleet/migrations/1': '1 of 1 done',
  '/fleet/findings': 'Compared',
  '/fleet/audit': 'migration.started',
  '/fleet/people': 'ada@alpha.example',
  '/fleet/tasks': 'schema guard',
  '/fleet/configuration': 'DB_CONNECTION_BUDGET',
  '/fleet/about': 'Release',
};

describe('The pages for operators', function () {
  this.timeout(240_000);
  let deployment: Deployment;
  let service: HttpService;
  /** Another process, without the loops that ask for things of their own. */
  let quiet: HttpService;
  let browser: Browser;
  let token: string;
  let visitor: Visitor;
  let page: Page;

  before(async function () {
    needsProgram(this, 'chromium');
    deployment = await createDeployment();
    const container = deployment.start();
    service = await HttpService.running(container);
    token = deployment.token(null, ['platform_admin']);
    await deployment.register('alpha');
    const operator = service.as(token);
    await operator.post('/admin/databases/alpha/provision');
    await operator.post('/users', { email: 'ada@alpha.example', password: 'correct horse battery' });
    await operator.post('/organizations/alpha/members', { email: 'ada@alpha.example', roles: ['member'] });
    await operator.post('/organizations/alpha/suspend');
    await operator.post('/organizations/alpha/resume');
    await operator.post('/admin/findings/reconcile', { dry_run: true });
    await deployment.metadata(`update organization_databases set schema_version = 1`);
    await operator.post('/admin/migrations', { canaries: 1 });
    await deployment.metadata(
      `with made as (
         insert into organizations (org_id, name) select 'dormant-' || n, 'Dormant' from generate_series(1, ${DORMANT}) n
         returning org_id)
       insert into organization_databases (org_id, database_name, state, stamp, schema_version)
       select org_id, 'nowhere_' || org_id, 'ready', gen_random_uuid(), 3 from made`,
    );
    browser = await launchBrowser();
    visitor = await visit(browser, service.url);
    page = await visitor.open(`/console/#operator=${token}`);
  });
  after(async () => {
    await browser?.close();
    await quiet?.close();
    await service?.close();
    await deployment?.dispose();
  });

  for (const [path, text] of Object.entries(PAGES)) {
    it(`can be used by everybody: ${path}`, async () => {
      await page.goto(`/console${path}`);
      await page.getByText(text).first().waitFor();
      await expectUsableInEachLook(page, path.slice(1));
      expect(visitor.faults).to.deep.equal([]);
    });
  }

  it('cost the metadata database next to nothing, and the databases of organizations nothing', async () => {
    const container = deployment.start();
    let statements = 0;
    decorate(container, TOKENS.metadataSql, (database) => ({
      query: (query) => {
        statements += 1;
        return database.query(query);
      },
    }));
    quiet = await HttpService.over(deployment, container);
    const { open, context } = await visit(browser, quiet.url);
    // What is asked for again comes on top, while somebody looks.
    await context.addInitScript(PAUSE_LIVE);
    await context.addInitScript(COUNT_TIMERS);
    const counted = await open(`/console/#operator=${token}`);
    for (const path of Object.keys(PAGES)) {
      await counted.waitForLoadState('networkidle');
      statements = 0;
      await counted.goto(`/console${path}`);
      await counted.waitForLoadState('networkidle');
      expect(await counted.locator('.loading, [role=alert]').count(), path).to.equal(0);
      expect(statements, path).to.be.at.most(MOST_STATEMENTS);
      expect(await counted.evaluate('window.timers'), `timers of ${path}`).to.be.at.most(MOST_TIMERS);
    }
    expect(statements).to.be.at.most(MOST_STATEMENTS);
    expect(container.get(TOKENS.connectionManager).counts()).to.include({ pools: 0, connections: 0 });
  });
});
