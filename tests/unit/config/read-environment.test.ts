import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { readEnvironment, readSources } from '../../../infrastructure/config/read-environment.ts';

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

  it('lets a file that the environment names win over a line of .env, and says where a value is from', () => {
    writeFileSync('secret', 'of the file\n');
    writeFileSync('.env', 'JWT_SECRET=of .env\nDB_ROLE_SECRET=of .env\n');
    process.env['JWT_SECRET_FILE'] = join(folder, 'secret');
    try {
      const environment = readEnvironment();
      expect(environment).to.include({ JWT_SECRET: 'of the file', DB_ROLE_SECRET: 'of .env' });
      expect(environment).not.to.have.property('JWT_SECRET_FILE');
      expect(readSources()('JWT_SECRET', 'of the file')).to.equal('environment');
      expect(readSources()('DB_ROLE_SECRET', 'of .env')).to.equal('file');
    } finally {
      delete process.env['JWT_SECRET_FILE'];
    }
  });

  it('passes over a folder called .env', () => {
    mkdirSync('.env');

    expect(readEnvironment()).to.deep.equal({ ...process.env });
  });
});
