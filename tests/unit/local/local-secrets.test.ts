import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { readExistingSecrets, readLocalSecrets } from '../../../infrastructure/local/local-secrets.ts';
import { rejectionOf } from '../../support/gate.ts';

describe('The secrets of the embedded start', () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'mad-test-secrets-'));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  const file = (): string => join(directory, 'secrets.json');
  const makeData = () => mkdir(join(directory, 'postgres', 'cluster'), { recursive: true });

  it('are made at the first start, for their owner alone, and read at every later one', async () => {
    const first = await readLocalSecrets(directory);
    expect(first.variables['JWT_SECRET']).to.have.length.greaterThan(31);
    expect(first.variables['DB_ROLE_SECRET']).to.have.length.greaterThan(31);
    expect(first.rotation).to.equal(null);
    expect((await stat(file())).mode & 0o777).to.equal(0o600);
    await makeData();
    expect(await readLocalSecrets(directory)).to.deep.equal(first);
    expect(await readExistingSecrets(directory)).to.deep.equal(first.variables);
  });

  it('are the same for all who make them at the same time', async () => {
    const made = await Promise.all(Array.from({ length: 5 }, () => readLocalSecrets(directory)));
    const kept = await readLocalSecrets(directory);
    for (const { variables } of made) expect(variables).to.deep.equal(kept.variables);
    expect(await readdir(directory)).to.deep.equal(['secrets.json']);
  });

  for (const [what, content] of [
    ['cut off', '{"JWT_SECRET":"'],
    ['empty', ''],
    ['without one of them', `{"JWT_SECRET":"${'x'.repeat(32)}"}`],
    ['of another kind', '[]'],
  ] as const) {
    it(`are refused with the name of the file when it is ${what}, and the file is left alone`, async () => {
      await writeFile(file(), content);
      for (const read of [readLocalSecrets, readExistingSecrets]) {
        const { message } = (await rejectionOf(read(directory))) as Error;
        expect(message).to.match(/^\/.*\/secrets\.json is damaged: .* remove it/);
        expect(message).not.to.include('x'.repeat(32));
      }
      expect(await readFile(file(), 'utf8')).to.equal(content);
    });
  }

  it('are made anew when they are lost, and wait until the roles have passwords from them', async () => {
    const { variables: lost } = await readLocalSecrets(directory);
    await makeData();
    await rm(file());
    const first = await readLocalSecrets(directory);
    expect(first.variables).not.to.deep.equal(lost);
    expect(Object.keys(first.variables)).to.have.members(Object.keys(lost));
    // That start was killed before it was done.
    const second = await readLocalSecrets(directory);
    expect(second.variables).to.deep.equal(first.variables);
    await second.rotation?.done();
    expect(await readLocalSecrets(directory)).to.deep.equal({ variables: first.variables, rotation: null });
  });

  it('are made by no command beside a running service', async () => {
    const { message } = (await rejectionOf(readExistingSecrets(directory))) as Error;
    expect(message).to.match(/^\/.*\/secrets\.json is missing: /);
  });
});
