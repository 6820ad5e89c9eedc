'use strict';
const fs = require('node:fs');
const { join } = require('node:path');
const { fileURLToPath, pathToFileURL } = require('node:url');
const { compile } = require('./compile.cjs');

/** Writes the console's files into `dist`, so that production needs no bundler. The next change of a source removes them. */
const main = async () => {
  const http = join(compile(join(__dirname, '../..')), 'presentation/http/console');
  const load = (name) => import(pathToFileURL(join(http, name)).href);
  const { bundleConsole } = await load('bundle-console.js');
  const { BUNDLE_FOLDER, ENTRIES_FILE } = await load('console-assets.js');
  const { files, ...entries } = await bundleConsole();
  const folder = fileURLToPath(BUNDLE_FOLDER);
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true });
  for (const { name, body } of files) fs.writeFileSync(join(folder, name), body);
  // Last: without it, the folder counts as unfinished.
  fs.writeFileSync(join(folder, ENTRIES_FILE), JSON.stringify(entries));
};

main().catch((error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
