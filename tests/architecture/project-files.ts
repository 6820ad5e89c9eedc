import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export const SOURCE_FOLDERS = [
  'domain',
  'application',
  'adapters',
  'infrastructure',
  'presentation',
  'migrations',
] as const;

const typescriptIn = (folder: string): string[] =>
  readdirSync(join(ROOT, folder), { withFileTypes: true })
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) return typescriptIn(path);
      return /(?<!\.d)\.tsx?$/.test(entry.name) ? [path] : [];
    })
    .toSorted();

/** The project's own modules, tests aside, as paths from its root. */
export const sourceFiles = (): string[] => ['knexfile.ts', ...SOURCE_FOLDERS.flatMap(typescriptIn)];

export const testFiles = (): string[] => typescriptIn('tests');
