'use strict';
const { existsSync } = require('node:fs');
const { join } = require('node:path');
const { pathToFileURL } = require('node:url');
const { compile } = require('./compile.cjs');
const { missingPart } = require('./missing-part.cjs');

/** The project, or the `dist` that holds its compiled form. */
const HERE = join(__dirname, '../..');

const PROGRAMS = { start: 'http.js', demo: 'demo.js', worker: 'worker.js', knex: 'knex' };

/** Runs what the command line names, as JavaScript that is as new as the sources. */
exports.runProgram = async () => {
  const isProgram = Object.hasOwn(PROGRAMS, process.argv[2]);
  const program = isProgram ? PROGRAMS[process.argv.splice(2, 1)[0]] : 'cli.js';
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
