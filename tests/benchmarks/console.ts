import type { Browser, CDPSession, Page } from 'playwright-core';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { bundleConsole } from '../../presentation/http/console/bundle-console.ts';
import { DESK, launchBrowser, visit, type Visitor } from '../support/browser.ts';
import { decorate } from '../support/decorate.ts';
import type { Deployment } from '../support/deployment.ts';
import { HttpService } from '../support/http-service.ts';
import { isInstalled } from '../support/programs.ts';
import { fillCampaign, makeCampaign, ORGANIZATION, withDatabase } from './campaigns.ts';
import { median, timed } from './statistics.ts';
import { print, type Line } from './table.ts';

const ORGANIZATIONS = 3000;
const ROUNDS = 7;
const BUNDLES = 3;
const CPU_THROTTLE = 4;
const LIMIT = { kind: 'at most', ratio: 1.5 } as const;

/** Addresses of pages, and a text that is there when the page is. */
type Pages = Readonly<Record<string, string>>;

const FLEET_PAGES: Pages = {
  '/fleet': 'Needs you',
  '/fleet/organizations': 'dormant-1',
  '/fleet/organizations?q=dormant-299&sort=name': 'dormant-2999',
  '/fleet/organizations/acme': 'Schema version',
  '/fleet/servers': 'answers',
  '/fleet/migrations': 'Migrations',
  '/fleet/audit': 'Audit trail',
  '/fleet/people': 'People',
};
const labPagesOf = (campaignId: string): Pages => ({
  '/o/acme': 'Latest jobs',
  '/o/acme/jobs': 'completed',
  '/o/acme/campaigns': 'measured',
  [`/o/acme/campaigns/${campaignId}`]: 'kcal/mol',
  [`/o/acme/campaigns/${campaignId}?min=-12&max=-9`]: 'kcal/mol',
});
/** Without a question to the API: what any page costs. */
const EMPTY_PAGE = { path: '/fleet/about', text: 'Release' };

/**
 * Pages of the console with many organizations and a large campaign, each over an empty page and the answers of the API
 * that it waits for: what a page does itself may not grow with what there is. Besides what a slow machine makes of the first page.
 */
export const consolePages = (serverUrl: string): Promise<readonly Line[]> =>
  withDatabase(serverUrl, async (bench) => {
    if (!isInstalled('chromium')) {
      print('  chromium is not installed: pages are not measured');
      return [];
    }
    await printBundleTime();
    const campaignId = await makeCampaign(bench);
    await fillCampaign(bench, campaignId);
    const { deployment } = bench;
    await addOrganizations(deployment);
    const counted = await startCounted(deployment);
    const browser = await launchBrowser();
    try {
      const operator = await enter(
        browser,
        counted,
        `#operator=${deployment.token(null, ['platform_admin'])}`,
      );
      const empty = await measure(operator, { ...EMPTY_PAGE, emptyMs: 0 });
      print(`  an empty page: ${empty.pageMs.toFixed(0)} ms`);
      const member = await enter(browser, counted, `#member=${deployment.token(ORGANIZATION, ['member'])}`);
      const lines: Line[] = [];
      for (const [visitor, pages] of [
        [operator, FLEET_PAGES],
        [member, labPagesOf(campaignId)],
      ] as const)
        for (const [path, text] of Object.entries(pages))
          lines.push((await measure(visitor, { path, text, emptyMs: empty.pageMs })).line);
      for (const [path, start] of [
        ['/fleet', `#operator=${deployment.token(null, ['platform_admin'])}`],
        [`/o/acme/campaigns/${campaignId}`, `#member=${deployment.token(ORGANIZATION, ['member'])}`],
      ] as const)
        await printFirstPaint(browser, counted.service.url, { path, start });
      return lines;
    } finally {
      await browser.close();
      await counted.service.close();
    }
  });

const printBundleTime = async (): Promise<void> => {
  const times: number[] = [];
  for (let round = 0; round < BUNDLES; round += 1) times.push(await timed(bundleConsole));
  print(`  bundling, which the first request from sources waits for: ${median(times).toFixed(0)} ms`);
};

const addOrganizations = async (deployment: Deployment): Promise<void> => {
  await deployment.metadata(
    `with made as (
       insert into organizations (org_id, name) select 'dormant-' || n, 'Dormant' from generate_series(1, ${ORGANIZATIONS - 1}) n
       returning org_id)
     insert into organization_databases (org_id, database_name, state, stamp, schema_version)
     select org_id, 'nowhere_' || org_id, 'ready', gen_random_uuid(), 3 from made`,
  );
};

interface Counted {
  readonly service: HttpService;
  /** Statements of the metadata database since it was last set to 0. */
  statements: number;
}

/** Without the loops that ask for things of their own. */
const startCounted = async (deployment: Deployment): Promise<Counted> => {
  const container = deployment.start();
  let statements = 0;
  decorate(container, TOKENS.metadataSql, (database) => ({
    query: (query) => {
      statements += 1;
      return database.query(query);
    },
  }));
  return {
    service: await HttpService.over(deployment, container),
    get statements() {
      return statements;
    },
    set statements(value) {
      statements = value;
    },
  };
};

interface Tab {
  readonly page: Page;
  readonly counted: Counted;
}

const enter = async (browser: Browser, counted: Counted, start: string): Promise<Tab> => {
  const visitor: Visitor = await visit(browser, counted.service.url);
  // What is asked for again comes on top, while somebody looks.
  await visitor.context.addInitScript(`sessionStorage.setItem('mad.paused', '')`);
  const page = await visitor.open(`/console/${start}`);
  await page.waitForLoadState('networkidle');
  return { page, counted };
};

interface View {
  readonly path: string;
  readonly text: string;
  readonly emptyMs: number;
}

/** When the text was painted, and when the first question to the API began and the last answer before that had come; in ms of the page. */
const TIMES = `(text) => new Promise((resolve) => {
  const look = () => {
    if (!document.querySelector('main')?.textContent.includes(text)) return requestAnimationFrame(look);
    requestAnimationFrame(() => {
      const shown = performance.now();
      const calls = performance.getEntriesByType('resource')
        .filter(({ initiatorType, responseEnd }) => initiatorType === 'fetch' && responseEnd > 0);
      const api = calls.length === 0 ? 0
        : Math.max(...calls.map((call) => call.responseEnd)) - Math.min(...calls.map((call) => call.startTime));
      resolve({ shown, api });
    });
  };
  look();
})`;

const measure = async ({ page, counted }: Tab, { path, text, emptyMs }: View) => {
  const [pageMs, apiMs]: [number[], number[]] = [[], []];
  let [requests, statements] = [0, 0];
  const count = (): void => void (requests += 1);
  for (let round = 0; round <= ROUNDS; round += 1) {
    [requests, counted.statements] = [0, 0];
    page.on('request', count);
    await page.goto(`/console${path}`);
    const times = await page.evaluate<{ readonly shown: number; readonly api: number }>(
      `(${TIMES})(${JSON.stringify(text)})`,
    );
    await page.waitForLoadState('networkidle');
    page.off('request', count);
    ({ statements } = counted);
    // The first one fills the caches.
    if (round > 0) {
      pageMs.push(times.shown);
      apiMs.push(times.api);
    }
  }
  const shown = path.replace(/[\da-f-]{36}/, '…');
  print(
    `  ${shown}: ${requests} requests, ${statements} metadata statements, shown after ${median(pageMs).toFixed(0)} ms`,
  );
  return {
    pageMs: median(pageMs),
    line: {
      measure: `${shown}, over an empty page and what its API calls take`,
      ours: median(pageMs),
      floor: emptyMs + median(apiMs),
      unit: 'ms',
      limit: LIMIT,
    } satisfies Line,
  };
};

/** Kept from the first moment on, as the browser reports it. */
const OBSERVE = `{
  const seen = (window.seen = { paint: 0, blocked: 0, shift: 0 });
  const watch = (type, note) => new PerformanceObserver((list) => list.getEntries().forEach(note)).observe({ type, buffered: true });
  watch('largest-contentful-paint', ({ startTime }) => { seen.paint = startTime; });
  watch('longtask', ({ duration }) => { seen.blocked += duration - 50; });
  watch('layout-shift', ({ value, hadRecentInput }) => { if (!hadRecentInput) seen.shift += value; });
}`;

interface FirstView {
  readonly path: string;
  /** The fragment that says who it is. */
  readonly start: string;
}

const printFirstPaint = async (browser: Browser, url: string, { path, start }: FirstView): Promise<void> => {
  const visitor = await visit(browser, url, DESK);
  await visitor.context.addInitScript(OBSERVE);
  const page = await visitor.context.newPage();
  const session: CDPSession = await visitor.context.newCDPSession(page);
  await session.send('Emulation.setCPUThrottlingRate', { rate: CPU_THROTTLE });
  await page.goto(`/console${path}${start}`);
  await page.locator('h1').waitFor();
  await page.waitForTimeout(2000);
  const seen = await page.evaluate<{
    readonly paint: number;
    readonly blocked: number;
    readonly shift: number;
  }>('window.seen');
  print(
    `  ${path.replace(/[\da-f-]{36}/, '…')} with nothing cached and ${CPU_THROTTLE} × slower: largest paint ${seen.paint.toFixed(0)} ms, ` +
      `blocked ${seen.blocked.toFixed(0)} ms, layout shift ${seen.shift.toFixed(3)}`,
  );
  await visitor.context.close();
};
