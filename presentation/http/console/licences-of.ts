import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';

const PACKAGE = /^(?<folder>.*node_modules\/(?<name>(?:@[^/]+\/)?[^/]+))\//;
const LICENCE = /^(?:licen[cs]e|notice|copying)(?:\.|-|$)/i;

/**
 * The licences of all packages that a bundle was made of, word for word: they want to be shown wherever their code is. A
 * file that is a bundle itself has those of its parts beside it, in a file of its own.
 *
 * @param inputs of esbuild: paths from the working directory
 */
export const licencesOf = async (
  inputs: readonly string[],
): Promise<{ readonly name: string; readonly body: Uint8Array }> => {
  const folders = new Map<string, string>();
  const beside = new Set<string>();
  for (const input of inputs) {
    const { folder, name } = PACKAGE.exec(input)?.groups ?? {};
    if (folder === undefined || name === undefined) continue;
    folders.set(name, folder);
    beside.add(`${input}.LICENSE.txt`);
  }
  const texts: string[] = [];
  for (const [name, folder] of [...folders].toSorted(([one], [other]) => (one < other ? -1 : 1))) {
    const files = (await readdir(resolve(folder))).filter((file) => LICENCE.test(file));
    for (const file of files) texts.push(`${name}\n\n${await readFile(resolve(folder, file), 'utf8')}`);
  }
  for (const path of beside) {
    const text = await readFile(resolve(path), 'utf8').catch(() => null);
    if (text !== null) texts.push(`${basename(path)}\n\n${text}`);
  }
  const body = Buffer.from(texts.map((text) => text.trim()).join(`\n\n${'-'.repeat(80)}\n\n`));
  const hash = createHash('sha256').update(body).digest('hex').slice(0, 8).toUpperCase();
  return { name: `licences-${hash}.txt`, body };
};
