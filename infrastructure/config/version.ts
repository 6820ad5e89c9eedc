import { existsSync, readFileSync } from 'node:fs';
import { ConfigError } from './config-error.ts';

/** The manifest is in the folder of the sources; `dist` is one folder deeper. */
const MANIFESTS = ['../../package.json', '../../../package.json'];

/**
 * Reads the version of this release from `package.json`.
 *
 * @throws {ConfigError} when that file is missing or has none
 */
export const readVersion = (): string => {
  const manifest = MANIFESTS.map((path) => new URL(path, import.meta.url)).find((url) => existsSync(url));
  const content: unknown = manifest === undefined ? null : JSON.parse(readFileSync(manifest, 'utf8'));
  if (typeof content === 'object' && content !== null && 'version' in content) return String(content.version);
  throw new ConfigError(['package.json is not beside the service, or names no version']);
};
