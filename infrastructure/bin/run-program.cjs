'use strict';
const { existsSync } = require('node:fs');
const { join } = require('node:path');
const { pathToFileURL } = require('node:url');
const { compile } = require('./compile.cjs');
const { missingPart } = require('./missing-part.cjs');

/** The project, or the `dist` that holds its compiled form. */
const HERE = join(__dirname, '../..');

const HELP = new Set(['--help', '-h', 'help']);
const PROGRAMS = { start: 'http.js', demo: 'demo.js', worker: 'worker.js', knex: 'knex' };

/** `mad knex` and the commands of `mad` have a help of their own. */
const USAGE = {
  start: `Usage: mad start

The service. Its configuration is the environment and .env of this folder: docs/configuration.md, .env.example. Without
DB_DATABASE_URL it brings its own PostgreSQL, with its data in .data/.

Ends with 0 after a stop in good order (SIGTERM, SIGINT, SIGHUP), with 1 when it cannot start, which the last line explains,
or when something had not ended within SHUTDOWN_TIMEOUT_MS.
`,
  worker: `Usage: mad worker

Docks the jobs that wait, with AutoDock Vina. Its configuration is the environment and .env of this folder: docs/worker.md.

  WORKER_KEY=mad_sk_… WORKER_SERVICE_URL=http://127.0.0.1:3000 mad worker

Ends with 0 after a stop in good order (SIGTERM, SIGINT), with 1 when it has no engine, no key or no service that takes it.
`,
  demo: `Usage: mad demo [--write]

The main job on real input, at a service that it starts, or at the one that runs in this folder. With DB_DATABASE_URL set it
writes two organizations there, and wants --write for that.

Ends with 0 when all was as it should be, with 1 when not, with 2 when it was refused or its line is wrong.
`,
};

/** Runs what the command line names, as JavaScript that is as new as the sources. */
exports.runProgram = async () => {
  const first = process.argv[2];
  const isProgram = Object.hasOwn(PROGRAMS, first);
  if (isProgram) process.argv.splice(2, 1);
  const program = isProgram ? PROGRAMS[first] : 'cli.js';
  if (isProgram && Object.hasOwn(USAGE, first) && HELP.has(process.argv[2])) {
    process.stdout.write(USAGE[first]);
    return;
  }
  const name = { [PROGRAMS.start]: 'start', [PROGRAMS.worker]: 'worker' }[program];
  if (name !== undefined && process.argv.length > 2) {
    process.stderr.write(`mad ${name} takes no arguments: its configuration is the environment and .env.\n`);
    return process.exit(2);
  }
  try {
    assertNativeParts();
    const compiled = existsSync(join(HERE, 'tsconfig.build.json')) ? compile(HERE) : HERE;
    process.setSourceMapsEnabled(true);
    if (program === 'knex') runKnex(join(compiled, 'knexfile.js'));
    else await import(pathToFileURL(join(compiled, 'infrastructure/bin', program)).href);
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
};

const runKnex = (knexfile) => {
  const isGiven = process.argv.some((argument) => argument.startsWith('--knexfile'));
  if (!isGiven) process.argv.push('--knexfile', knexfile);
  require('knex/bin/cli.js');
};

/** Within a graph of modules, an import that fails ends Node 20 with pages of stacks. */
const assertNativeParts = () => {
  try {
    require('@node-rs/argon2');
  } catch {
    throw missingPart('@node-rs/argon2');
  }
};
