import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { readEnvironment } from '../../../infrastructure/config/read-environment.ts';

describe('readEnvironment', () => {
  const before = process.cwd();
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'mad-env-'));
    process.chdir(folder);
  });

  afterEach(() => {
    process.chdir(before);
    delete process.env['MAD_TEST_BOTH'];
    rmSync(folder, { recursive: true });
  });

  it('is the process’s environment where there is no .env', () => {
    expect(readEnvironment()).to.deep.equal({ ...process.env });
  });

  it('lets the environment win over .env, and leaves the environment as it is', () => {
    process.env['MAD_TEST_BOTH'] = 'environment';
    writeFileSync('.env', 'MAD_TEST_BOTH=file\nMAD_TEST_FILE="from # file" # comment\n');

    const environment = readEnvironment();

    expect(environment['MAD_TEST_BOTH']).to.equal('environment');
    expect(environment['MAD_TEST_FILE']).to.equal('from # file');
    expect(process.env['MAD_TEST_FILE']).to.equal(undefined);
  });

  it('passes over a folder called .env', () => {
    mkdirSync('.env');

    expect(readEnvironment()).to.deep.equal({ ...process.env });
  });
});
