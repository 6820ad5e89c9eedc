import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmod,
  chown,
  cp,
  lstat,
  mkdir,
  mkdtemp,
  readFile,
  readlink,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { prepareBinaries } from '../../infrastructure/local/embedded-postgres/binaries.ts';
import { copyBinaries } from '../../infrastructure/local/embedded-postgres/binaries-copy.ts';
import { restoreLinks } from '../../infrastructure/local/embedded-postgres/binaries-package.ts';
import type { BinariesPackage } from '../../infrastructure/local/embedded-postgres/binaries-package.ts';
import { EmbeddedPostgresError } from '../../infrastructure/local/embedded-postgres/embedded-postgres-error.ts';
import { findServerUser } from '../../infrastructure/local/embedded-postgres/server-user.ts';

const LINKS = [{ source: 'native/lib/libx.so.1.2', target: 'native/lib/libx.so.1' }];

const refusalOf = (attempt: Promise<unknown>): Promise<unknown> =>
  attempt.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('the binaries of the embedded PostgreSQL server', () => {
  let source: BinariesPackage;
  let copies: string[];

  const copy = async (): Promise<string> => {
    const directory = await copyBinaries(source, await findServerUser(join(source.directory, 'none')));
    copies.push(directory);
    return directory;
  };

  beforeEach(async () => {
    copies = [];
    // A small package like the real one, unpacked without its postinstall and with a narrow umask.
    const directory = await mkdtemp(join(tmpdir(), 'mad-test-package-'));
    source = { directory, version: `test-${randomBytes(6).toString('hex')}` };
    await mkdir(join(directory, 'native/bin'), { recursive: true });
    await mkdir(join(directory, 'native/lib'), { mode: 0o700 });
    await writeFile(join(directory, 'native/pg-symlinks.json'), JSON.stringify(LINKS));
    await writeFile(join(directory, 'native/lib/libx.so.1.2'), 'library', { mode: 0o600 });
    await writeFile(join(directory, 'native/bin/postgres'), '#!/bin/sh\necho runs\n', { mode: 0o700 });
  });

  afterEach(async () => {
    for (const directory of [source.directory, ...copies])
      await rm(directory, { recursive: true, force: true });
  });

  it('get the links that a blocked postinstall left out', async () => {
    await restoreLinks(source.directory);
    await restoreLinks(source.directory);
    expect(await readlink(join(source.directory, 'native/lib/libx.so.1'))).to.equal('libx.so.1.2');
  });

  it('are copied with their links so that the server’s user runs them and cannot change them', async () => {
    const directory = await copy();
    expect(await readFile(join(directory, 'native/lib/libx.so.1'), 'utf8')).to.equal('library');
    const user = await findServerUser(join(source.directory, 'none'));
    const { stdout } = await promisify(execFile)(join(directory, 'native/bin/postgres'), { ...user });
    expect(stdout).to.equal('runs\n');
    for (const path of ['', 'native', 'native/lib', 'native/lib/libx.so.1.2', 'native/bin/postgres']) {
      const { mode, uid } = await lstat(join(directory, path));
      expect(uid).to.equal(process.getuid?.());
      expect(mode & 0o022, path).to.equal(0);
    }
  });

  it('are run from a copy where their path holds what a shell makes something else of', async () => {
    const directory = join(source.directory, 'a "quoted" $HOME');
    const native = join(directory, 'native');
    await cp(join(source.directory, 'native'), native, { recursive: true });
    await cp(join(native, 'bin/postgres'), join(native, 'bin/initdb'));
    await mkdir(join(native, 'share/postgresql'), { recursive: true });
    await writeFile(join(native, 'share/postgresql/postgres.bki'), 'catalog');
    // The server's user could run them where they are.
    await promisify(execFile)('chmod', ['-R', 'a+rX', source.directory]);
    const user = await findServerUser(join(directory, 'none'));
    const used = await prepareBinaries(user, { ...source, directory });
    copies.push(join(used, '..'));
    expect(used).to.match(/^[\w/.-]+$/);
    expect(await readFile(join(used, 'bin/initdb'), 'utf8')).to.include('runs');
  });

  it('are copied once', async () => {
    const first = await copy();
    const { ino } = await stat(first);
    expect(await copy()).to.equal(first);
    expect((await stat(first)).ino).to.equal(ino);
  });

  it('are copied again when files of the copy are gone', async () => {
    const directory = await copy();
    await rm(join(directory, 'native/bin/postgres'));
    expect(await copy()).to.equal(directory);
    expect(await readFile(join(directory, 'native/bin/postgres'), 'utf8')).to.include('runs');
  });

  it('are copied by several processes at once', async () => {
    const [first, ...others] = await Promise.all([copy(), copy(), copy()]);
    expect(new Set(others)).to.deep.equal(new Set([first]));
  });

  it('are not taken from a copy that others may write', async () => {
    const directory = await copy();
    await chmod(directory, 0o777);
    expect(await refusalOf(copy()))
      .to.be.instanceOf(EmbeddedPostgresError)
      .with.property('message')
      .that.includes(directory);
  });

  it('are not taken from a copy that somebody else owns', async function () {
    if (process.getuid?.() !== 0) this.skip();
    const directory = await copy();
    await chown(directory, 65534, 65534);
    expect(await refusalOf(copy())).to.be.instanceOf(EmbeddedPostgresError);
  });
});
