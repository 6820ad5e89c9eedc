import { randomUUID } from 'node:crypto';
import { access, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { Client } from 'pg';
import type { Actor } from '../../application/actor.ts';
import { collectFiles } from '../../application/files/collect-files.ts';
import type { WithDatabase } from '../../application/ports/databases/results-database.ts';
import type { FileStore } from '../../application/ports/files/file-store.ts';
import { purgeFiles } from '../../application/files/purge-files.ts';
import type { UseCases } from '../../application/use-cases.ts';
import { FilesInUseError, FilesUnavailableError } from '../../domain/files/errors.ts';
import type { DatabaseConnectionManager } from '../../infrastructure/routing/database-connection-manager.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { withOverrides } from '../support/decorate.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { sha256Of } from '../support/fetch-bytes.ts';
import { Gate, rejectionOf, until } from '../support/gate.ts';
import { sampleJob } from '../support/sample-job.ts';
import { defaultServer } from '../support/servers.ts';

const ACME = organizationId('acme');
const ACTOR: Actor = {
  principal: { userId: 'user-1', organizationId: ACME, roles: new Set(['member']) },
  requestId: 'request-1',
  address: null,
};

const through =
  (manager: Pick<DatabaseConnectionManager, 'acquire'>): WithDatabase =>
  async (work) => {
    const lease = await manager.acquire(ACME);
    try {
      return await work(lease.database);
    } finally {
      lease.release();
    }
  };

describe('the collection of files', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let store: FileStore;
  let useCases: UseCases;
  let withDatabase: WithDatabase;

  beforeEach(async () => {
    deployment = await createDeployment();
    await deployment.register('acme');
    const container = deployment.start();
    store = container.get(TOKENS.fileStore);
    useCases = container.get(TOKENS.useCases);
    const manager = container.get(TOKENS.connectionManager);
    withDatabase = through(manager);
  });
  afterEach(() => deployment.dispose());

  const upload = async (text: string, { receiveFile } = useCases): Promise<string> => {
    const bytes = (async function* pieces() {
      yield Buffer.from(text);
    })();
    const incoming = { bytes, mediaType: 'text/plain', name: null, sha256: null };
    const call = { actor: ACTOR, organizationId: ACME, withDatabase };
    return (await receiveFile(call, incoming)).file.sha256;
  };
  /** As if all that was uploaded so far had been uploaded long ago. */
  const age = (): Promise<unknown> =>
    deployment.administer(
      "update files set uploaded_at = uploaded_at - interval '25 hours'",
      [],
      deployment.databaseName('acme'),
    );
  const find = (sha256: string) => withDatabase(({ files }) => files.find(sha256));
  const collect = (fileStore: FileStore = store) =>
    collectFiles({ fileStore, now: Date.now })(ACME, withDatabase);
  const refer = (sha256: string): Promise<void> =>
    withDatabase((database) =>
      database.transaction(async ({ files, jobs }) => {
        expect((await files.hold([sha256])).has(sha256)).to.equal(true);
        const job = await jobs.insert(sampleJob());
        await files.refer([{ jobId: job?.jobId ?? '', role: 'ligand', name: null, sha256 }]);
      }),
    );
  const pathOf = (sha256: string): string => join(deployment.filesFolder, 'acme', sha256.slice(0, 2), sha256);

  it('deletes what nothing has referred to for a day, rows and bytes, at the next upload', async () => {
    const [old, used] = [await upload('old'), await upload('used')];
    await refer(used);
    await age();
    expect(await find(old)).not.to.equal(null);
    // The first upload of this process was the one that looked last.
    await upload('new', deployment.start().get(TOKENS.useCases));
    expect(await find(old)).to.equal(null);
    expect(await store.sizeOf(ACME, old)).to.equal(null);
    for (const kept of [used, sha256Of('new')]) {
      expect(await find(kept)).not.to.equal(null);
      expect(await store.sizeOf(ACME, kept)).to.be.greaterThan(0);
    }
    expect(
      await deployment.administer('select from files', [], deployment.databaseName('acme')),
    ).to.have.length(2);
  });

  it('waits no longer for a table that its organization has locked than the service wants', async () => {
    const old = await upload('old');
    await age();
    const client = new Client(
      defaultServer(deployment.start()).urlFor(deployment.databaseName('acme')).toString(),
    );
    await client.connect();
    try {
      await client.query('begin; lock table files in access exclusive mode');
      const limits = { statementMs: 600_000, lockMs: 50, idleMs: 20_000 };
      const collection = collectFiles({ fileStore: store, now: Date.now, limits })(ACME, withDatabase);
      expect(await rejectionOf(collection)).to.have.nested.property('cause.code', '55P03');
    } finally {
      await client.end();
    }
    expect(await collect()).to.equal(1);
    expect(await find(old)).to.equal(null);
  }).timeout(8000);

  it('waits for a slow store, however short the pauses are that transactions may make', async () => {
    const sha256 = await upload('slowly deleted');
    await age();
    const container = deployment.start({ DB_IDLE_IN_TRANSACTION_TIMEOUT_MS: '1000' });
    const manager = container.get(TOKENS.connectionManager);
    const hasty = through(manager);
    const slow = withOverrides(store, {
      delete: async (...asked) => {
        await sleep(1200);
        await store.delete(...asked);
      },
    });
    expect(await collectFiles({ fileStore: slow, now: Date.now })(ACME, hasty)).to.equal(1);
    expect(await store.sizeOf(ACME, sha256)).to.equal(null);
  });

  it('leaves a file that a submission is about to refer to', async () => {
    const sha256 = await upload('wanted');
    await age();
    const [held, proceed] = [new Gate(), new Gate()];
    const referring = withDatabase((database) =>
      database.transaction(async ({ files, jobs }) => {
        await files.hold([sha256]);
        held.open();
        await proceed.opened;
        const job = await jobs.insert(sampleJob());
        await files.refer([{ jobId: job?.jobId ?? '', role: 'ligand', name: null, sha256 }]);
      }),
    );
    await held.opened;
    expect(await collect()).to.equal(0);
    proceed.open();
    await referring;
    expect(await collect()).to.equal(0);
    expect(await store.sizeOf(ACME, sha256)).to.equal(6);
    expect(await find(sha256)).not.to.equal(null);
  });

  it('leaves a file for another day of which an upload is told that it is there', async () => {
    const [told, completed] = [await upload('told'), sha256Of('completed')];
    const call = { actor: ACTOR, organizationId: ACME, withDatabase };
    const label = { mediaType: 'text/plain', name: null };
    const begun = await useCases.beginUpload(call, { ...label, sha256: completed, sizeBytes: 9 });
    const uploadId = 'upload' in begun ? begun.upload.uploadId : '';
    await upload('completed');
    await age();
    const again = await useCases.beginUpload(call, { ...label, sha256: told, sizeBytes: 4 });
    expect(again).to.have.nested.property('file.sha256', told);
    expect((await useCases.completeUpload(call, uploadId)).created).to.equal(false);
    expect(await collect()).to.equal(0);
    for (const sha256 of [told, completed]) await refer(sha256);
  });

  it('leaves a file that a campaign is about to give to its jobs', async () => {
    const sha256 = await upload('receptor');
    await age();
    const [inserting, proceed] = [new Gate(), new Gate()];
    const creating = withDatabase((database) =>
      useCases.createCampaign(
        withOverrides(database, {
          transaction: (work) =>
            database.transaction((repositories) =>
              work(
                withOverrides(repositories, {
                  campaigns: withOverrides(repositories.campaigns, {
                    insert: async (campaign) => {
                      inserting.open();
                      await proceed.opened;
                      return repositories.campaigns.insert(campaign);
                    },
                  }),
                }),
              ),
            ),
        }),
        ACTOR,
        {
          name: 'Kinases',
          description: null,
          engine: 'vina',
          inputs: { receptor: { file: `sha256:${sha256}` } },
          params: {},
          priority: null,
        },
      ),
    );
    await Promise.race([inserting.opened, creating]);
    expect(await collect()).to.equal(0);
    proceed.open();
    await creating;
    expect(await collect()).to.equal(0);
    await refer(sha256);
  });

  it('is waited for by an upload of the same bytes, which are there afterwards', async () => {
    const sha256 = await upload('again');
    await age();
    const [deleting, proceed] = [new Gate(), new Gate()];
    const gated = withOverrides(store, {
      delete: async (...args) => {
        deleting.open();
        await proceed.opened;
        await store.delete(...args);
      },
    });
    const collecting = collect(gated);
    await deleting.opened;
    const uploading = upload('again');
    await until('the upload waits for the row', async () => {
      const waiting = await deployment.administer(
        `select from pg_stat_activity where datname = $1 and wait_event_type = 'Lock'`,
        [deployment.databaseName('acme')],
      );
      return waiting.length > 0;
    });
    proceed.open();
    expect([await collecting, await uploading]).to.deep.equal([1, sha256]);
    expect(await find(sha256)).not.to.equal(null);
    expect(await store.sizeOf(ACME, sha256)).to.equal(5);
  });

  it('that broke off is ended by the next one, and shows nothing without bytes meanwhile', async () => {
    const [one, two] = [await upload('one'), await upload('two')];
    await age();
    const broken = withOverrides(store, {
      delete: () => Promise.reject(new FilesUnavailableError(new Error('away'))),
    });
    expect(await rejectionOf(collect(broken))).to.be.instanceOf(FilesUnavailableError);
    for (const sha256 of [one, two]) {
      expect(await find(sha256)).to.equal(null);
      expect(await rejectionOf(refer(sha256))).to.be.instanceOf(Error);
    }
    // Whoever uploads it again takes the mark back.
    await upload('two');
    expect(await collect()).to.equal(1);
    expect(await find(two)).not.to.equal(null);
    expect([await store.sizeOf(ACME, one), await store.sizeOf(ACME, two)]).to.deep.equal([null, 3]);
  });

  it('deletes what dead processes left of uploads', async () => {
    await upload('makes the folder');
    const [old, young] = [randomUUID(), randomUUID()];
    for (const id of [old, young]) await writeFile(join(deployment.filesFolder, 'acme', 'uploads', id), 'x');
    const longAgo = new Date(Date.now() - 3 * 3_600_000);
    await utimes(join(deployment.filesFolder, 'acme', 'uploads', old), longAgo, longAgo);
    await collect();
    expect(await store.measure(ACME, old, () => undefined)).to.equal(null);
    expect(await store.measure(ACME, young, () => undefined)).not.to.equal(null);
  });

  it('of all of an organization has to wait for the retirement of its database', async () => {
    const sha256 = await upload('kept');
    const container = deployment.start();
    const purge = purgeFiles({ ledger: container.get(TOKENS.databaseLedger), fileStore: store });
    expect(await rejectionOf(purge(ACME))).to.be.instanceOf(FilesInUseError);
    await container.get(TOKENS.retireDatabase)(ACME);
    await access(pathOf(sha256));
    await purge(ACME);
    expect(await rejectionOf(access(join(deployment.filesFolder, 'acme')))).to.include({ code: 'ENOENT' });
  });
});
