import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { Client } from 'pg';
import { testServer } from '../support/postgres-server.ts';
import { createTestDatabase } from '../support/test-database.ts';
import { createTestDirectory, removeAbandonedTestDirectories } from '../support/test-directories.ts';

describe('the test server', function () {
  this.timeout(60_000);

  it('is one for all who ask', async () => {
    expect(await testServer()).to.equal(await testServer());
  });

  it('has databases apart from each other, which are dropped while connections are open', async () => {
    const [one, two] = await Promise.all([
      createTestDatabase('Test server!'),
      createTestDatabase('Test server!'),
    ]);
    expect(one.name)
      .to.match(/^mad_test_server__[0-9a-f]{12}$/)
      .and.not.equal(two.name);
    const client = new Client({ connectionString: one.url });
    client.on('error', () => undefined); // the drop ends the connection
    await client.connect();
    const { rows } = await client.query('select current_database() as name');
    expect(rows).to.deep.equal([{ name: one.name }]);
    await one.drop();
    await one.drop();
    await two.drop();
  });

  it('removes the folders of test runs that are gone, and no others', async () => {
    const own = await createTestDirectory();
    const gone = spawnSync('true').pid;
    const abandoned = join(dirname(own), `mad-test-postgres-${gone}-abandoned`);
    await mkdir(abandoned);
    await removeAbandonedTestDirectories();
    expect(existsSync(own)).to.equal(true);
    expect(existsSync(abandoned)).to.equal(false);
    await rm(own, { recursive: true });
  });
});
