import { readFileSync } from 'node:fs';
import { ConfigError } from './config-error.ts';

/** The manifest beside the sources. The compiled build is one folder deeper. */
const MANIFEST = new URL(
  import.meta.url.endsWith('.js') ? '../../../package.json' : '../../package.json',
  import.meta.url,
);

/** Reads the version of this release from `package.json`. @throws {ConfigError} when that file has none */
export const readVersion = (): string => {
  const manifest: unknown = JSON.parse(readFileSync(MANIFEST, 'utf8'));
  if (typeof manifest === 'object' && manifest !== null && 'version' in manifest)
    return String(manifest.version);
  throw new ConfigError([`${MANIFEST.pathname} names no version`]);
};
