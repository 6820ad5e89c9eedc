'use strict';
// `npm run dev`: the service, which ends and starts again when a source has changed.
require('./check-node.cjs');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const { join } = require('node:path');
const { compile, hashOf, FOLDERS } = require('./compile.cjs');

/** An editor writes one file in several steps, and a checkout many files. */
const SETTLE_MS = 100;

/**
 * Starts the service, and does so again after each change that compiles. The service before is asked to end by SIGTERM and
 * waited for: two would want one port and one folder of data. It has its own deadline, so nobody kills it.
 */
exports.develop = (project) => {
  const start = () =>
    spawn(process.execPath, [join(project, 'infrastructure/bin/mad.cjs'), 'start'], { stdio: 'inherit' });
  const hasEnded = () => service.exitCode !== null || service.signalCode !== null;
  let hash = hashOf(project);
  let service = start();
  let watchers = [];
  let timer;
  let isReplacing = false;

  const watch = () => {
    for (const watcher of watchers) watcher.close();
    // Folder by folder: a watcher of a whole tree loses files that an editor replaces, on Linux with Node 20.
    watchers = foldersOf(project).map((folder) => fs.watch(folder, settle).on('error', settle));
  };
  const settle = () => {
    clearTimeout(timer);
    timer = setTimeout(() => void reload(), SETTLE_MS);
  };
  const reload = async () => {
    // What changes meanwhile is found by the look that follows the start.
    if (isReplacing) return;
    isReplacing = true;
    try {
      watch();
      const present = hashOf(project);
      if (present === hash) return;
      compile(project);
      say('a source has changed');
      if (!hasEnded()) {
        service.kill('SIGTERM');
        await once(service, 'exit');
      }
      hash = present;
      service = start();
      settle();
    } catch (error) {
      say(error.message);
    } finally {
      isReplacing = false;
    }
  };

  watch();
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'])
    process.on(signal, () => {
      // Also one that a reload waits for, and none is started after it.
      isReplacing = true;
      if (hasEnded()) process.exit(0);
      service.removeAllListeners('exit');
      service.once('exit', (code) => process.exit(code ?? 1));
      service.kill(signal);
    });
};

const say = (text) => process.stderr.write(`dev: ${text}\n`);

const foldersOf = (project) => [project, ...FOLDERS.flatMap((folder) => foldersBelow(join(project, folder)))];

const foldersBelow = (folder) => [
  folder,
  ...fs
    .readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap((entry) => foldersBelow(join(folder, entry.name))),
];

if (require.main === module) exports.develop(join(__dirname, '../..'));
