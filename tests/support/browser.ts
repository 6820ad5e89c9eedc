import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import axe from 'axe-core';
import { expect } from 'chai';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { pathOf } from './programs.ts';

/** Without the last flags there is no WebGL on a machine without a graphics card, and pictures of molecules are blank. */
const FLAGS = [
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--use-angle=swiftshader',
  '--enable-unsafe-swiftshader',
];

export const launchBrowser = (): Promise<Browser> => {
  const executablePath = pathOf('chromium');
  if (executablePath === undefined) throw new Error('chromium is not installed');
  return chromium.launch({ executablePath, args: FLAGS });
};

/** The machine may be busy. */
const WAIT_MS = 30_000;

export interface Look {
  readonly theme: 'light' | 'dark';
  readonly width: number;
}

export const DESK: Look = { theme: 'light', width: 1440 };
export const LOOKS: readonly Look[] = (['light', 'dark'] as const).flatMap((theme) =>
  [1440, 768, 360].map((width) => ({ theme, width })),
);

/** One person's browser: tabs of it share cookies. */
export interface Visitor {
  readonly context: BrowserContext;
  /** What no page of the console may do: errors, violations of its policy, requests to other origins. */
  readonly faults: string[];
  open(path: string): Promise<Page>;
}

/** Reports violations of the content policy, which otherwise only stand in the browser's own console. */
const REPORT_VIOLATIONS = `document.addEventListener('securitypolicyviolation', (event) =>
  console.error('violates', event.effectiveDirective, event.blockedURI, event.sourceFile));`;

/** Keeps pages from asking again by themselves. A page that has no address yet has no storage either. */
export const PAUSE_LIVE = `if (location.origin !== 'null') sessionStorage.setItem('mad.paused', '')`;

/** @param expected faults that a test makes on purpose, such as `Failed to load resource: … 401` */
export const visit = async (
  browser: Browser,
  url: string,
  { theme, width }: Look = DESK,
  expected: RegExp = /^$/,
): Promise<Visitor> => {
  const context = await browser.newContext({
    baseURL: url,
    colorScheme: theme,
    viewport: { width, height: width > 1000 ? 900 : 800 },
    reducedMotion: 'reduce',
  });
  const faults: string[] = [];
  const report = (fault: string): void => {
    if (!expected.test(fault)) faults.push(fault);
  };
  await context.addInitScript(REPORT_VIOLATIONS);
  context.on('page', (page) => {
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') report(message.text());
    });
    page.on('pageerror', (error) => report(`${error.name}: ${error.message}`));
  });
  context.on('request', (request) => {
    if (/^https?:/.test(request.url()) && !request.url().startsWith(`${url}/`))
      report(`asks ${request.url()}`);
  });
  return {
    context,
    faults,
    open: async (path) => {
      const page = await context.newPage();
      page.setDefaultTimeout(WAIT_MS);
      await page.goto(path);
      return page;
    },
  };
};

/** For people to look at. Git ignores it. */
const PICTURES = '.shots';

export const keepPicture = async (page: Page, name: string): Promise<void> => {
  await mkdir(PICTURES, { recursive: true });
  await page.screenshot({ path: join(PICTURES, `${name.replaceAll(/[^\w-]/g, '-')}.png`), fullPage: true });
};

/** What axe-core finds that keeps people from using the page. */
const seriousFindings = async (page: Page): Promise<readonly string[]> => {
  await page.evaluate(axe.source);
  const violations = await page.evaluate<readonly axe.Result[]>(
    'axe.run().then(({ violations }) => violations)',
  );
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes[0]?.html ?? ''}`);
};

/** Expects that everybody can use the page, as wide as the window is, and keeps a picture of it. */
export const expectUsable = async (page: Page, name: string): Promise<void> => {
  await keepPicture(page, name);
  expect(await seriousFindings(page), page.url()).to.deep.equal([]);
  const overflow = await page.evaluate<number>(
    'document.documentElement.scrollWidth - document.documentElement.clientWidth',
  );
  expect(overflow, `${page.url()} is wider than the window`).to.equal(0);
};
