import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import axe from 'axe-core';
import { expect } from 'chai';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { pathOf } from './programs.ts';

const FLAGS = [
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
/** A machine without a graphics card draws molecules by its processor, and all else costs three times as much then. */
const GRAPHICS = {
  flat: ['--disable-gpu', '--disable-3d-apis'],
  molecules: ['--use-angle=swiftshader', '--enable-unsafe-swiftshader', '--disable-gpu-rasterization'],
};
export type Graphics = keyof typeof GRAPHICS;

/** @param graphics `flat` has no WebGL: pages leave molecules out */
export const launchBrowser = (graphics: Graphics = 'flat'): Promise<Browser> => {
  const executablePath = pathOf('chromium');
  if (executablePath === undefined) throw new Error('chromium is not installed');
  return chromium.launch({ executablePath, args: [...FLAGS, ...GRAPHICS[graphics]] });
};

/** The machine may be busy. */
const WAIT_MS = 30_000;

export interface Look {
  readonly theme: 'light' | 'dark';
  readonly width: number;
}

export const DESK: Look = { theme: 'light', width: 1440 };
const LOOKS: readonly Look[] = (['light', 'dark'] as const).flatMap((theme) =>
  [1440, 768, 360].map((width) => ({ theme, width })),
);
const viewportOf = (width: number) => ({ width, height: width > 1000 ? 900 : 800 });

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
    viewport: viewportOf(width),
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

/** Where pictures go for people to look at, such as `.shots`. None is taken by default: it is a third of a page's time. */
const PICTURES = process.env['PICTURES'];

export const keepPicture = async (page: Page, name: string): Promise<void> => {
  if (PICTURES === undefined) return;
  await mkdir(PICTURES, { recursive: true });
  await page.screenshot({ path: join(PICTURES, `${name.replaceAll(/[^\w-]/g, '-')}.png`), fullPage: true });
};

/** Rules of axe-core: all, or those that depend on colours alone. */
const RULES = { all: {}, colors: { runOnly: ['color-contrast', 'link-in-text-block'] } } as const;

/** What axe-core finds that keeps people from using the page. */
const seriousFindings = async (page: Page, rules: keyof typeof RULES): Promise<readonly string[]> => {
  if (!(await page.evaluate<boolean>('"axe" in window'))) await page.evaluate(axe.source);
  const options = JSON.stringify({ ...RULES[rules], resultTypes: ['violations'] });
  const violations = await page.evaluate<readonly axe.Result[]>(
    `axe.run(${options}).then(({ violations }) => violations)`,
  );
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes[0]?.html ?? ''}`);
};

/** Expects that everybody can use the page, as wide as the window is, and keeps a picture of it. */
export const expectUsable = async (
  page: Page,
  name: string,
  rules: keyof typeof RULES = 'all',
): Promise<void> => {
  await keepPicture(page, name);
  expect(await seriousFindings(page, rules), `${page.url()}, ${name}`).to.deep.equal([]);
  const overflow = await page.evaluate<number>(
    'document.documentElement.scrollWidth - document.documentElement.clientWidth',
  );
  expect(overflow, `${page.url()} is wider than the window, ${name}`).to.equal(0);
};

/** As `expectUsable`, in both themes, each in three widths. The page is not loaded again: styles alone know of either. */
export const expectUsableInEachLook = async (page: Page, name: string): Promise<void> => {
  for (const { theme, width } of LOOKS) {
    await page.setViewportSize(viewportOf(width));
    await page.emulateMedia({ colorScheme: theme });
    await expectUsable(page, `${name}-${theme}-${width}`, theme === DESK.theme ? 'all' : 'colors');
  }
  await page.setViewportSize(viewportOf(DESK.width));
  await page.emulateMedia({ colorScheme: DESK.theme });
};

/** A browser hides a tab that another one covers; one without a screen never does. */
export const hide = (isHidden: boolean): string => `
  Object.defineProperty(document, 'visibilityState', { configurable: true, value: '${isHidden ? 'hidden' : 'visible'}' });
  document.dispatchEvent(new Event('visibilitychange'));`;
