/** Where this script came from tells where the service is, whatever a proxy has put before its paths. */
const assets = new URL('.', import.meta.url);

/** Ends without a slash; empty where the service is at the root. */
export const API_BASE = new URL('../..', assets).pathname.replace(/\/$/, '');
/** Of all pages. */
export const CONSOLE_BASE = new URL('..', assets).pathname.replace(/\/$/, '');

/** As the page was sent with it. */
export const releaseVersion = (): string => {
  // The server writes this block.
  const config = JSON.parse(document.querySelector('#config')?.textContent ?? '{}') as { version?: string };
  return config.version ?? 'unknown';
};
