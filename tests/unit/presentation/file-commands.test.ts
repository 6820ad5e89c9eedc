import { expect } from 'chai';
import { FilesInUseError, FilesUnavailableError } from '../../../domain/files/errors.ts';
import { runCommand } from '../../support/fakes/fake-cli.ts';
import { FakeMetadata } from '../../support/fakes/fake-metadata.ts';
import { organization } from '../../support/fakes/fake-service.ts';

describe('the commands on files', () => {
  it('collect those of the organizations that are named, or of all that have a database', async () => {
    const metadata = new FakeMetadata();
    for (const [id, state] of [
      ['acme', 'ready'],
      ['beta', 'ready'],
      ['gone', 'provisioning'],
    ] as const) {
      metadata.add(organization(id));
      metadata.addDatabase(organization(id), { state });
    }
    const collected: string[] = [];
    const deps = {
      databaseLedger: metadata.ledger,
      collectFiles: async (id: string) => collected.push(id),
    };
    const named = await runCommand(['files', 'collect', 'beta', 'acme'], deps);
    expect(named.exitCode).to.equal(0);
    expect(named.lines).to.deep.equal(['beta: 1 file deleted.', 'acme: 2 files deleted.']);
    await runCommand(['files', 'collect'], deps);
    expect(collected).to.deep.equal(['beta', 'acme', 'acme', 'beta']);
  });

  it('go on after one that fails, and say so', async () => {
    const deps = {
      collectFiles: (id: string) =>
        id === 'acme' ? Promise.reject(new FilesUnavailableError(new Error('away'))) : Promise.resolve(0),
    };
    const { exitCode, lines } = await runCommand(['files', 'collect', 'acme', 'beta'], deps);
    expect(exitCode).to.equal(3);
    expect(lines[0]).to.match(/^acme: failed: /);
    expect(lines[1]).to.equal('beta: 0 files deleted.');
  });

  it('purge those of an organization that has no database any more', async () => {
    const purged: string[] = [];
    const purge = (purgeFiles: (id: string) => Promise<void>) =>
      runCommand(['files', 'purge', 'acme'], { purgeFiles });
    expect((await purge(async (id) => void purged.push(id))).exitCode).to.equal(0);
    expect(purged).to.deep.equal(['acme']);
    expect((await purge(() => Promise.reject(new FilesInUseError()))).exitCode).to.equal(1);
  });
});
