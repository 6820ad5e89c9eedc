import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import type { SourceOf } from './effective-settings.ts';
import { ConfigError } from './config-error.ts';
import { withSecretFiles } from './secret-files.ts';

/**
 * Reads `process.env`, and under it the file `.env` in the working directory, if it exists, and in both the files that
 * variables such as `JWT_SECRET_FILE` name. The only reader of `process.env`.
 *
 * @throws {ConfigError} when one of these files cannot be read, or a variable is given twice
 */
export const readEnvironment = (): Record<string, string | undefined> => ({
  ...withSecretFiles(readDotEnv()),
  ...withSecretFiles(process.env),
});

/** Says of each variable where `readEnvironment` has it from; what it does not have, the start has set. */
export const readSources = (): SourceOf => {
  const file = withSecretFiles(readDotEnv());
  const environment = withSecretFiles(process.env);
  return (name, value) => {
    if (environment[name] === value) return 'environment';
    return file[name] === value ? 'file' : 'start';
  };
};

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
