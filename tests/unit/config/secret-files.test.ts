import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { withSecretFiles } from '../../../infrastructure/config/secret-files.ts';

describe('Secrets in files', () => {
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'mad-secrets-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  const fileWith = (text: string): string => {
    const path = join(folder, 'secret');
    writeFileSync(path, text);
    return path;
  };

  it('take the place of their variables, of those of servers too, without the line break at their end', () => {
    for (const text of ['a secret', 'a secret\n', 'a secret\r\n'])
      expect(withSecretFiles({ JWT_SECRET_FILE: fileWith(text), PORT: '1' })).to.deep.equal({
        JWT_SECRET: 'a secret',
        PORT: '1',
      });
    const path = fileWith('first line\nsecond line\n\n');
    expect(
      withSecretFiles({ DB_DATABASE_URL_FILE: path, DB_RESULTS_DB_TEMPLATE_EU_FILE: path }),
    ).to.deep.equal({
      DB_DATABASE_URL: 'first line\nsecond line\n',
      DB_RESULTS_DB_TEMPLATE_EU: 'first line\nsecond line\n',
    });
  });

  it('leave alone what is no secret, what belongs to other programs, and a server with the name file', () => {
    const environment = {
      LOG_LEVEL_FILE: '/nowhere',
      AWS_SHARED_CREDENTIALS_FILE: '/nowhere',
      DB_CONNECTION_BUDGET_FILE: '40',
      DB_RESULTS_DB_TEMPLATE_FILE: 'postgresql://u:p@file.example/mad_results_{org_id}',
    };
    expect(withSecretFiles(environment)).to.deep.equal(environment);
  });

  it('are refused all at once, by the names of their variables and without a word of what is in them', () => {
    const refused = () =>
      withSecretFiles({
        JWT_SECRET: 'hush',
        JWT_SECRET_FILE: fileWith('hush as well'),
        DB_ROLE_SECRET_FILE: 'hush: no path',
        WORKER_KEY_FILE: join(folder, 'missing'),
        DB_DATABASE_URL_FILE: folder,
      });
    expect(refused).to.throw(
      [
        'JWT_SECRET and JWT_SECRET_FILE are set; unset one of them',
        'DB_ROLE_SECRET_FILE holds a text of 13 characters; it takes the absolute path of a file',
        `WORKER_KEY_FILE names ${join(folder, 'missing')}, which cannot be read (ENOENT)`,
        `DB_DATABASE_URL_FILE names ${folder}, which cannot be read (EISDIR)`,
      ].join('\n'),
    );
    expect(refused).not.to.throw(/hush/);
  });
});
