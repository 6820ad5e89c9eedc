import { readFileSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { ConfigError } from './config-error.ts';
import type { Environment } from './environment-reader.ts';
import type { Variable } from './variable.ts';
import { VARIABLES } from './variables.ts';

const SUFFIX = '_FILE';
const ANY_SERVER = '<NAME>';

/** Secrets, and URLs, which hold passwords. */
const FROM_FILES = Object.entries<Variable>(VARIABLES)
  .filter(([, { kind }]) => kind === 'secret' || kind === 'url')
  .map(([name]) => name);
/** Beginnings of names that stand for one variable for each server. */
const FAMILIES = FROM_FILES.filter((name) => name.endsWith(ANY_SERVER)).map((name) =>
  name.slice(0, -ANY_SERVER.length),
);

/**
 * Replaces each `NAME_FILE` by `NAME`, with the text of the file that it names, less one line break at its end. Docker,
 * Kubernetes and systemd hand secrets over as files, which no list of processes shows.
 *
 * @throws {ConfigError} with all problems, one line each: both are set, the path is relative, or the file cannot be read
 */
export const withSecretFiles = (environment: Environment): Record<string, string | undefined> => {
  const problems: string[] = [];
  const result = { ...environment };
  for (const [fileVariable, path] of Object.entries(environment)) {
    const name = variableOf(fileVariable);
    if (name === null || path === undefined || isServerCalledFile(fileVariable, path)) continue;
    delete result[fileVariable];
    if (environment[name] !== undefined)
      problems.push(`${name} and ${fileVariable} are set; unset one of them`);
    else if (!isAbsolute(path))
      // It may be the secret itself.
      problems.push(
        `${fileVariable} holds a text of ${path.length} characters; it takes the absolute path of a file`,
      );
    else result[name] = contentOf(path, fileVariable, problems);
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return result;
};

/** The variable that a name with `_FILE` stands for; null when it stands for none. */
const variableOf = (fileVariable: string): string | null => {
  if (!fileVariable.endsWith(SUFFIX)) return null;
  const name = fileVariable.slice(0, -SUFFIX.length);
  const isOfServer = FAMILIES.some((family) => name.startsWith(family) && name.length > family.length);
  return isOfServer || FROM_FILES.includes(name) ? name : null;
};

/** `DB_ADMIN_URL_FILE` with a URL in it is the variable of a server with the name `file`. */
const isServerCalledFile = (variable: string, value: string): boolean =>
  FAMILIES.some((family) => `${family}FILE` === variable) && !isAbsolute(value);

const contentOf = (path: string, fileVariable: string, problems: string[]): string | undefined => {
  try {
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    problems.push(`${fileVariable} names ${path}, which cannot be read (${code})`);
    return undefined;
  }
};
