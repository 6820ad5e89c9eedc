import { readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Gives files that are named after the time, as Knex makes them, the numbers that follow those in the folder. Numbers
 * say the order at a glance, and two branches that take the same one cannot both be merged unnoticed.
 */
export const numberNewMigrations = (directory: string): void => {
  const names = readdirSync(directory);
  const numbers = names.map((name) => Number(/^(\d{4})_/.exec(name)?.[1] ?? 0));
  let last = Math.max(0, ...numbers);
  for (const name of names.toSorted()) {
    const [, title] = /^\d{14}(_.+)$/.exec(name) ?? [];
    if (title === undefined) continue;
    last += 1;
    const numbered = join(directory, `${String(last).padStart(4, '0')}${title}`);
    renameSync(join(directory, name), numbered);
    process.stdout.write(`Numbered: ${numbered}\n`);
  }
};
