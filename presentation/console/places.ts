/** Where this script came from tells where the service is, whatever a proxy has put before its paths. */
const assets = new URL('.', import.meta.url);

/** Ends without a slash; empty where the service is at the root. */
export const API_BASE = new URL('../..', assets).pathname.replace(/\/$/, '');
/** Of all pages. */
export const CONSOLE_BASE = new URL('..', assets).pathname.replace(/\/$/, '');

interface Config {
  readonly version?: string;
  readonly licences?: string;
}

/** As the server wrote it into the page. */
const config = (): Config => JSON.parse(document.querySelector('#config')?.textContent ?? '{}') as Config;

export const releaseVersion = (): string => config().version ?? 'unknown';
/** Where the licences of all that the console is made of can be read. */
export const licencesAddress = (): string => new URL(config().licences ?? '', assets).pathname;
