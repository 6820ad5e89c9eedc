import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { ConfigError } from './config-error.ts';

/**
 * Reads `process.env`, and under it the file `.env` in the working directory, if it exists. The only reader of
 * `process.env`.
 *
 * @throws {ConfigError} when `.env` exists and cannot be read
 */
export const readEnvironment = (): Record<string, string | undefined> => ({
  ...readDotEnv(),
  ...process.env,
});

const readDotEnv = (): Record<string, string | undefined> => {
  try {
    return parseEnv(readFileSync('.env', 'utf8'));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    // A folder named `.env` is a Python environment.
    if (code === 'ENOENT' || code === 'EISDIR') return {};
    throw new ConfigError([`.env cannot be read (${code}); it takes lines of the form NAME=value`]);
  }
};
