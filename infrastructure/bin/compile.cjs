'use strict';
const { spawnSync } = require('node:child_process');
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const { tmpdir } = require('node:os');
const { dirname, join, sep } = require('node:path');
const { missingPart } = require('./missing-part.cjs');

/** What `dist` is made of. Files that are no TypeScript are copied. */
const FOLDERS = ['domain', 'application', 'adapters', 'infrastructure', 'presentation', 'migrations'];
exports.FOLDERS = FOLDERS;
/** How the compiled service is packed and run: no part of it. */
const DEPLOYMENT = join('infrastructure', 'deployment');
const SETTINGS = ['package.json', 'tsconfig.json', 'tsconfig.build.json', 'knexfile.ts'];

const CONSOLE = join('presentation', 'console') + sep;

/** Holds the hash of the sources that `dist` was made of. */
const STAMP = '.sources';
/** Begins the name of a folder, beside `dist`, that one process compiles into. */
const UNFINISHED = '.dist-';
/** What a killed process left is removed after this time. */
const ABANDONED_MS = 60_000;
const NOT_WRITABLE = ['EACCES', 'EPERM', 'EROFS'];

/**
 * Brings `dist` up to date with the sources and returns its path. Several processes may do so at once: each compiles into
 * a folder of its own and moves whole files. No program is read from a folder that another user can make first, as a cache
 * with a known name below /tmp would be. A checkout that this user cannot write is compiled into a private temporary folder,
 * which ends with the process.
 */
exports.compile = (project) => {
  const hash = hashOf(project);
  const dist = join(project, 'dist');
  if (contentOf(join(dist, STAMP))?.toString() === hash) return dist;
  try {
    build(project, dist, hash);
    return dist;
  } catch (error) {
    if (!NOT_WRITABLE.includes(error.code)) throw error;
    return compileElsewhere(project, hash);
  }
};

const compileElsewhere = (project, hash) => {
  const copy = fs.mkdtempSync(join(tmpdir(), 'mad-'));
  process.on('exit', () => fs.rmSync(copy, { recursive: true, force: true }));
  // What programs look for beside `dist`: packages, the manifest, `.env`.
  for (const name of fs.readdirSync(project))
    if (name !== 'dist') fs.symlinkSync(join(project, name), join(copy, name));
  const dist = join(copy, 'dist');
  build(project, dist, hash);
  return dist;
};

const build = (project, dist, hash) => {
  const output = fs.mkdtempSync(`${dirname(dist)}/${UNFINISHED}`);
  try {
    transpile(project, output);
    for (const path of sourcesOf(project))
      if (isCopied(path)) fs.cpSync(join(project, path), join(output, path));
    const made = filesIn(output);
    for (const path of made) install(join(output, path), join(dist, path));
    removeSurplus(dist, new Set([...made, STAMP]));
    fs.writeFileSync(join(output, STAMP), hash);
    install(join(output, STAMP), join(dist, STAMP));
    removeAbandoned(dirname(dist));
  } finally {
    fs.rmSync(output, { recursive: true, force: true });
  }
};

/** The console runs in browsers: it is bundled from its sources, when it is first asked for or by `npm run build`. */
const isCopied = (path) => !path.endsWith('.ts') || (path.startsWith(CONSOLE) && !path.endsWith('.d.ts'));

/**
 * `npm run build` checks the types. Without that, all sources take half a second, and nothing of development is needed: the
 * types of Node are not installed in production.
 */
const transpile = (project, output) => {
  const config = join(project, 'tsconfig.build.json');
  const options = [compiler(), '-p', config, '--noCheck', '--types', '', '--outDir', output];
  const { status, stdout, stderr } = spawnSync(process.execPath, options, { encoding: 'utf8' });
  if (stderr.includes('Unable to resolve @typescript/')) throw missingPart('typescript');
  if (status !== 0) throw new Error(`The sources cannot be compiled:\n${stdout}${stderr}`);
};

const compiler = () => {
  try {
    return join(dirname(require.resolve('typescript/package.json')), 'bin/tsc');
  } catch {
    throw new Error('Packages are missing: run "npm install" first');
  }
};

/** Moves a file to its place, unless the same is there already. */
const install = (file, target) => {
  if (contentOf(target)?.equals(fs.readFileSync(file))) return;
  fs.mkdirSync(dirname(target), { recursive: true });
  fs.renameSync(file, target);
};

/** Removes what has no source: a migration of another branch would be applied. */
const removeSurplus = (dist, made) => {
  for (const path of filesIn(dist)) if (!made.has(path)) fs.rmSync(join(dist, path), { force: true });
};

const removeAbandoned = (parent) => {
  for (const name of fs.readdirSync(parent).filter((each) => each.startsWith(UNFINISHED))) {
    const since = fs.statSync(join(parent, name), { throwIfNoEntry: false })?.mtimeMs ?? Infinity;
    if (Date.now() - since > ABANDONED_MS) fs.rmSync(join(parent, name), { recursive: true, force: true });
  }
};

/** Of all sources together. */
const hashOf = (project) => {
  const hash = createHash('sha256');
  for (const path of [...SETTINGS, ...sourcesOf(project)]) {
    const content = fs.readFileSync(join(project, path));
    hash.update(`${path}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
};

exports.hashOf = hashOf;

/** Undefined when there is no such file. */
const contentOf = (file) => {
  try {
    return fs.readFileSync(file);
  } catch {
    return undefined;
  }
};

const sourcesOf = (project) =>
  FOLDERS.flatMap((folder) => filesIn(project, folder))
    .filter((path) => !path.startsWith(DEPLOYMENT))
    .toSorted((one, other) => (one < other ? -1 : 1));

/** All files below a folder, as paths from `root`. */
const filesIn = (root, folder = '') =>
  fs.readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesIn(root, path) : [path];
  });

if (require.main === module) exports.compile(join(__dirname, '../..'));
