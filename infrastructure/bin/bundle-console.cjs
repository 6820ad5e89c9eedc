'use strict';
const fs = require('node:fs');
const { join } = require('node:path');
const { fileURLToPath, pathToFileURL } = require('node:url');
const { compile } = require('./compile.cjs');

const PROJECT = join(__dirname, '../..');

/**
 * Writes the console's files into `dist`, so that production needs no bundler. The next change of a source removes them. With
 * `--watch` it does so after each change of the console, and a service that runs from `dist` sends what is new.
 */
const main = async () => {
  const http = join(compile(PROJECT), 'presentation/http/console');
  const load = (name) => import(pathToFileURL(join(http, name)).href);
  const { bundleConsole, watchConsole } = await load('bundle-console.js');
  const { BUNDLE_FOLDER, ENTRIES_FILE } = await load('console-assets.js');
  const folder = fileURLToPath(BUNDLE_FOLDER);
  const write = ({ files, ...entries }) => {
    fs.mkdirSync(folder, { recursive: true });
    for (const { name, body } of files) fs.writeFileSync(join(folder, name), body);
    // Last, and at once: without it, the folder counts as unfinished.
    const unfinished = join(folder, `.${ENTRIES_FILE}`);
    fs.writeFileSync(unfinished, JSON.stringify(entries));
    fs.renameSync(unfinished, join(folder, ENTRIES_FILE));
    const kept = new Set([ENTRIES_FILE, ...files.map(({ name }) => name)]);
    for (const name of fs.readdirSync(folder)) if (!kept.has(name)) fs.rmSync(join(folder, name));
  };
  if (!process.argv.includes('--watch')) return write(await bundleConsole());
  await watchConsole({
    sources: `${join(PROJECT, 'presentation/console')}/`,
    onBundle: (bundle) => {
      write(bundle);
      say('the console is bundled: load the page again');
    },
    onFailure: say,
  });
};

const say = (text) => process.stderr.write(`console: ${text}\n`);

main().catch((error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
