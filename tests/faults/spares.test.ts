import { expect } from 'chai';
import type { Container } from 'inversify';
import pg from 'pg';
import { TemplateMissingError } from '../../application/ports/databases/database-template.ts';
import { DEFAULT_SERVER } from '../../domain/databases/server.ts';
import { DatabaseProvisioningError } from '../../domain/exceptions.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { Gate, rejectionOf, until } from '../support/gate.ts';
import {
  beforeEachClone,
  createdDatabases,
  hookProvisioning,
  watchAdminStatements,
} from '../support/provisioning-steps.ts';
import { ALL_JOBS, sampleJob } from '../support/sample-job.ts';
import { defaultServer, overrideServers, overrideSessions } from '../support/servers.ts';
import { openTransaction } from '../support/server-faults.ts';

const ACME = organizationId('acme');
const THREE = { DB_SPARES_MIN: '3', DB_SPARES_MAX: '3' };

describe('spare databases', function () {
  this.timeout(60_000);
  let deployment: Deployment;

  beforeEach(async () => {
    deployment = await createDeployment(THREE);
    await deployment.register('acme', 'beta');
  });
  afterEach(() => deployment.dispose());

  const metadata = <Row>(sql: string, values: readonly unknown[] = []): Promise<readonly Row[]> =>
    deployment.administer<Row>(sql, values, deployment.metadataDatabase);

  const refill = (container: Container): Promise<void> => container.get(TOKENS.spareKeeper).refill();

  const withLabel = async (label: string): Promise<readonly string[]> =>
    (await deployment.databases()).filter((name) => name.startsWith(`${label}.`));

  const bookedSpares = async (): Promise<readonly string[]> => {
    const rows = await metadata<{ name: string }>(
      `select database_name as name from spare_databases where state = 'ready' order by 1`,
    );
    return rows.map(({ name }) => name);
  };

  /** How organizations came to their databases, as the audit says. */
  const pathsTaken = async (): Promise<Readonly<Record<string, string>>> => {
    const rows = await metadata<{ org_id: string; path: string }>(
      `select org_id, details->>'path' as path from audit_logs where action = 'database.provisioned'`,
    );
    return Object.fromEntries(rows.map(({ org_id, path }) => [org_id, path]));
  };

  const use = async (container: Container, id: string): Promise<readonly string[]> => {
    const { database, release } = await container.get(TOKENS.connectionManager).acquire(organizationId(id));
    try {
      await database.jobs.insert(sampleJob({ submittedBy: id }));
      return (await database.jobs.list(...ALL_JOBS)).items.map(({ submittedBy }) => submittedBy);
    } finally {
      release();
    }
  };

  /** What a release leaves that ended an hour ago: a template with spares. */
  const ageSpares = async (): Promise<readonly string[]> => {
    await refill(deployment.start());
    const stale = await bookedSpares();
    const name = `template.0123456789.${deployment.databaseName('').replace(/_$/, '')}`;
    await deployment.administer(`create database "${name}"`);
    await metadata(`insert into results_templates values ('0123456789', $1, 1, now() - interval '1 hour')`, [
      name,
    ]);
    await metadata(`update spare_databases set template_hash = '0123456789'`);
    return stale;
  };

  it('claim-of-a-spare-copies-nothing-and-is-audited-as-spare', async () => {
    await refill(deployment.start());
    expect(await bookedSpares()).to.have.length(3);
    const container = deployment.start();
    const statements = watchAdminStatements(container);
    expect(await use(container, 'acme')).to.deep.equal(['acme']);
    expect(await pathsTaken()).to.deep.equal({ acme: 'spare' });
    expect(createdDatabases(statements)).to.be.empty;
    expect(await withLabel('spare')).to.deep.equal(await bookedSpares());
    expect(await bookedSpares()).to.have.length(2);
  });

  it('a spare that was claimed is made up for without being asked', async () => {
    const container = deployment.start();
    const keeper = container.get(TOKENS.spareKeeper);
    keeper.start();
    try {
      await until('there are spares', async () => (await bookedSpares()).length === 3);
      const before = await bookedSpares();
      await use(container, 'acme');
      await until('there is another one', async () => {
        const spares = await bookedSpares();
        return spares.length === 3 && spares.some((name) => !before.includes(name));
      });
      expect(await pathsTaken()).to.deep.equal({ acme: 'spare' });
    } finally {
      await keeper.close();
    }
  });

  it('concurrent-claims-never-share-a-spare', async () => {
    const ids = Array.from({ length: 8 }, (_, index) => `org-${index}`);
    await deployment.register(...ids);
    const containers = [deployment.start(), deployment.start()];
    await refill(deployment.start());

    const rows = await Promise.all(
      ids.map((id, index) => use(containers[index % containers.length] ?? deployment.start(), id)),
    );
    expect(rows, 'each sees only its own').to.deep.equal(ids.map((id) => [id]));
    const stamps = await metadata<{ stamp: string }>('select stamp from organization_databases');
    expect(new Set(stamps.map(({ stamp }) => stamp)).size).to.equal(ids.length);
    expect(Object.values(await pathsTaken())).to.have.members([
      ...Array(5).fill('clone'),
      ...Array(3).fill('spare'),
    ]);
    expect(await withLabel('spare')).to.be.empty;
    expect(await metadata('select from spare_databases')).to.be.empty;
  });

  it('concurrent-claims-never-share-a-spare: many claims for the last one, in the ledger itself', async () => {
    const ids = Array.from({ length: 20 }, (_, index) => `org-${index}`);
    await deployment.register(...ids);
    await refill(deployment.start({ DB_SPARES_MIN: '1', DB_SPARES_MAX: '1' }));
    const container = deployment.start();
    const { hash, schemaVersion } = await defaultServer(container).template.ready();
    const ledger = container.get(TOKENS.databaseLedger);
    const claims = await Promise.all(
      ids.map((id, index) =>
        ledger.claim(
          organizationId(id),
          [
            {
              databaseName: deployment.databaseName(id),
              fresh: {
                spareId: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
                serverId: DEFAULT_SERVER,
                databaseName: `spare.fresh${index}`,
                templateHash: hash,
                schemaVersion,
              },
            },
          ],
          () => DEFAULT_SERVER,
        ),
      ),
    );
    const bound = claims.map(({ spare }) => spare?.spareId);
    expect(new Set(bound).size).to.equal(ids.length);
    expect(claims.filter((claim) => claim.spare !== null && claim.ready)).to.have.length(1);
  });

  it('concurrent-claims-never-share-a-spare: one that somebody is about to take is passed over', async () => {
    await deployment.register('gamma');
    await refill(deployment.start({ DB_SPARES_MIN: '2', DB_SPARES_MAX: '2' }));
    // Whoever waits for that somebody fails instead.
    const container = deployment.start({ DB_LOCK_TIMEOUT_MS: '2000' });
    await defaultServer(container).template.ready();
    const oldest = 'select spare_id from spare_databases order by created_at limit 1';
    const somebody = await openTransaction(
      deployment,
      deployment.metadataDatabase,
      `update spare_databases set state = 'claimed' where spare_id = (${oldest})`,
    );
    try {
      for (const id of ['acme', 'beta', 'gamma']) expect(await use(container, id)).to.deep.equal([id]);
      expect(await pathsTaken()).to.deep.equal({ acme: 'spare', beta: 'clone', gamma: 'clone' });
    } finally {
      await somebody.rollBack();
    }
    expect(await withLabel('spare')).to.deep.equal(await bookedSpares());
    expect(await bookedSpares()).to.have.length(1);
  });

  it('empty-spare-pool-falls-back-to-template', async () => {
    const container = deployment.start();
    expect(await bookedSpares()).to.be.empty;
    expect(await use(container, 'acme')).to.deep.equal(['acme']);
    expect(await pathsTaken()).to.deep.equal({ acme: 'clone' });
  });

  it('empty-spare-pool-falls-back-to-template: also when the spare on the books was dropped on the server', async () => {
    await refill(deployment.start({ DB_SPARES_MIN: '1', DB_SPARES_MAX: '1' }));
    const [name = ''] = await bookedSpares();
    await deployment.administer(`drop database "${name}"`);
    expect(await use(deployment.start(), 'acme')).to.deep.equal(['acme']);
    expect(await pathsTaken()).to.deep.equal({ acme: 'clone' });
    expect(await metadata('select from spare_databases')).to.be.empty;
  });

  describe('stale-spare-is-upgraded-or-retired-before-claim', () => {
    it('stale-spare-is-upgraded-or-retired-before-claim: no organization gets one', async () => {
      const stale = await ageSpares();
      expect(await use(deployment.start(), 'acme')).to.deep.equal(['acme']);
      expect(await pathsTaken()).to.deep.equal({ acme: 'clone' });
      expect(await withLabel('spare')).to.deep.equal(stale);
    });

    it('stale-spare-is-upgraded-or-retired-before-claim: a refill replaces them, and drops the template', async () => {
      const stale = await ageSpares();
      await refill(deployment.start());
      const fresh = await withLabel('spare');
      expect(fresh).to.deep.equal(await bookedSpares());
      expect(fresh).to.have.length(3);
      for (const name of stale) expect(fresh).to.not.include(name);
      expect(await withLabel('template')).to.have.length(1);
      expect(await metadata('select from results_templates')).to.have.length(1);
      expect(await use(deployment.start(), 'acme')).to.deep.equal(['acme']);
      expect(await pathsTaken()).to.deep.equal({ acme: 'spare' });
    });

    it('stale-spare-is-upgraded-or-retired-before-claim: those of a release that still runs are left alone', async () => {
      const stale = await ageSpares();
      await metadata('update results_templates set last_used_at = now()');
      await refill(deployment.start());
      expect(await withLabel('spare')).to.include.members(stale);
      expect(await withLabel('template')).to.have.length(2);
    });
  });

  it('two-refillers-do-not-overshoot-and-yield-to-live-demand', async () => {
    const containers = [deployment.start(), deployment.start()];
    await Promise.all([...containers, ...containers].map(refill));
    await Promise.all(containers.map(refill));
    expect(await bookedSpares()).to.have.length(3);
    expect(await withLabel('spare')).to.deep.equal(await bookedSpares());
    const open = await deployment.administer(
      `select from pg_stat_activity where datname = any($1) and backend_type = 'client backend'`,
      [await withLabel('spare')],
    );
    expect(open, 'sessions left in the way of a claim').to.be.empty;
  });

  it('two-refillers-do-not-overshoot-and-yield-to-live-demand: one builds, the other leaves it to that one', async () => {
    const [first, second] = [deployment.start(), deployment.start()];
    const gate = new Gate();
    beforeEachClone(first, () => gate.pass());
    await defaultServer(second).template.ready();
    const building = refill(first);
    try {
      await gate.reached;
      await refill(second);
      expect(await metadata('select from spare_databases'), 'planned').to.have.length(1);
      expect(await withLabel('spare'), 'built').to.be.empty;
    } finally {
      gate.open();
      await building;
    }
    expect(await bookedSpares()).to.have.length(3);
  });

  it('two-refillers-do-not-overshoot-and-yield-to-live-demand: stops after the database under way', async () => {
    const container = deployment.start();
    let requestsWait = false;
    beforeEachClone(container, () => {
      requestsWait = true;
    });
    overrideServers(container, () => ({
      get isBusy() {
        return requestsWait;
      },
    }));
    await refill(container);
    expect(await bookedSpares()).to.have.length(1);
    await refill(container);
    expect(await bookedSpares(), 'while requests wait').to.have.length(1);
    requestsWait = false;
    await refill(container);
    expect(await bookedSpares()).to.have.length(2);
    requestsWait = false;
    await refill(container);
    expect(await bookedSpares()).to.have.length(3);
  });

  it('two-refillers-do-not-overshoot-and-yield-to-live-demand: serves while they build', async () => {
    const containers = [deployment.start(), deployment.start()];
    const ids = Array.from({ length: 6 }, (_, index) => `org-${index}`);
    await deployment.register(...ids);
    const refilling = Promise.all(containers.map(refill));
    const rows = await Promise.all(
      ids.map((id, index) => use(containers[index % containers.length] ?? deployment.start(), id)),
    );
    await refilling;
    expect(rows).to.deep.equal(ids.map((id) => [id]));
    await refill(deployment.start());
    expect(await bookedSpares()).to.have.length(3);
    expect(await withLabel('spare')).to.deep.equal(await bookedSpares());
  });

  describe('a spare that is being made for an organization', () => {
    /** A saga that stops with its database made, and without its name. */
    const leaveHalfMade = async (): Promise<object> => {
      const broken = deployment.start();
      hookProvisioning(broken, (step, proceed) => {
        if (step === 'adopt') throw new Error('out of luck');
        return proceed();
      });
      await rejectionOf(broken.get(TOKENS.connectionManager).acquire(ACME));
      const [row] = await metadata<object>('select spare_id, database_name, state from spare_databases');
      return row ?? {};
    };

    const rowOf = async (spare: object): Promise<object | undefined> => {
      const rows = await metadata<object>('select spare_id, database_name, state from spare_databases');
      return rows.find((row) => JSON.stringify(row) === JSON.stringify(spare));
    };

    it('is finished by no refill, and claimed by nobody else', async () => {
      const spare = await leaveHalfMade();
      await refill(deployment.start({ DB_SPARES_MIN: '1', DB_SPARES_MAX: '1' }));
      expect(await rowOf(spare)).to.include({ state: 'building' });
      expect(await use(deployment.start(), 'beta')).to.deep.equal(['beta']);
      expect(await use(deployment.start(), 'acme')).to.deep.equal(['acme']);
      expect(await pathsTaken()).to.deep.equal({ beta: 'spare', acme: 'resume' });
    });

    it('is not dropped with those of its release, and made anew by the release that finishes it', async () => {
      const { hash } = await defaultServer(deployment.start()).template.ready();
      const spare = await leaveHalfMade();
      await metadata(
        `insert into results_templates values ('0123456789', 'gone', 1, now() - interval '1 hour')`,
      );
      await metadata(
        `update spare_databases set template_hash = '0123456789', schema_version = 1 where template_hash = $1`,
        [hash],
      );
      const { schemaVersion } = await defaultServer(deployment.start()).template.ready();
      await refill(deployment.start());
      expect(await rowOf(spare)).to.include({ state: 'building' });
      expect(await use(deployment.start(), 'acme')).to.deep.equal(['acme']);
      expect(await pathsTaken()).to.deep.equal({ acme: 'clone' });
      const [record] = await metadata('select schema_version from organization_databases');
      expect(record).to.deep.equal({ schema_version: schemaVersion });
      expect(await withLabel('spare')).to.deep.equal(await bookedSpares());
    });
  });

  describe('a refill', () => {
    it('builds the template again that somebody dropped', async () => {
      const container = deployment.start();
      const { databaseName } = await defaultServer(container).template.ready();
      await deployment.administer(`drop database "${databaseName}"`);
      expect(await rejectionOf(refill(container)))
        .to.be.instanceOf(TemplateMissingError)
        .with.nested.property('cause.code', '3D000');
      await refill(container);
      expect(await bookedSpares()).to.have.length(3);
      expect(await withLabel('spare')).to.deep.equal(await bookedSpares());
    });

    it('is not kept from building by what cannot be dropped, and drops it later', async () => {
      await refill(deployment.start());
      const stale = await ageSpares();
      const stuck = deployment.start();
      overrideSessions(stuck, () => ({
        dropSpare: () => Promise.reject(new Error('a replication slot is in use')),
      }));
      await refill(stuck);
      expect(await bookedSpares()).to.have.length(3);
      expect(await withLabel('spare')).to.have.members([...stale, ...(await bookedSpares())]);
      await refill(deployment.start());
      expect(await bookedSpares()).to.have.length(3);
      expect(await withLabel('spare')).to.deep.equal(await bookedSpares());
    });

    it('follows demand down as well, an hour after it', async () => {
      const busy = { DB_SPARES_MIN: '1', DB_SPARES_MAX: '5' };
      for (const id of ['acme', 'beta']) await use(deployment.start(), id);
      await refill(deployment.start(busy));
      expect(await bookedSpares()).to.have.length(2);
      await metadata(`update organization_databases set created_at = now() - interval '30 minutes'`);
      await refill(deployment.start(busy));
      expect(await bookedSpares(), 'demand may come back').to.have.length(2);
      await metadata(`update organization_databases set created_at = now() - interval '61 minutes'`);
      await refill(deployment.start(busy));
      expect(await bookedSpares()).to.have.length(1);
      expect(await withLabel('spare')).to.deep.equal(await bookedSpares());
    });
  });

  describe('disk-full-53100-on-create-leaves-no-trace', () => {
    /** The server's answer to the next clone of this process. */
    const fillDisk = (container: Container): (() => number) => {
      let refusals = 0;
      beforeEachClone(container, () => {
        if (refusals > 0) return;
        refusals += 1;
        const error = new pg.DatabaseError('could not extend file: No space left on device', 0, 'error');
        error.code = '53100';
        throw error;
      });
      return () => refusals;
    };

    it('disk-full-53100-on-create-leaves-no-trace: of a first request', async () => {
      const container = deployment.start();
      const refusals = fillDisk(container);
      await defaultServer(container).template.ready();
      const before = await deployment.databases();
      const manager = container.get(TOKENS.connectionManager);
      expect(await rejectionOf(manager.acquire(ACME))).to.be.instanceOf(DatabaseProvisioningError);
      expect(refusals()).to.equal(1);
      expect(await deployment.databases()).to.deep.equal(before);
      expect(manager.counts()).to.include({ pools: 0, draining: 0, leases: 0, connections: 0 });
      const failed = await container.get(TOKENS.databaseLedger).find(ACME);
      expect(failed).to.include({ state: 'failed' });
      expect(failed?.lastError).to.match(/No space left/);
      expect(await pathsTaken()).to.be.empty;

      expect(await use(container, 'acme'), 'the next request').to.deep.equal(['acme']);
      expect(await withLabel('spare')).to.be.empty;
      expect(await metadata('select from spare_databases')).to.be.empty;
    });

    it('disk-full-53100-on-create-leaves-no-trace: of a refill', async () => {
      const container = deployment.start();
      fillDisk(container);
      await defaultServer(container).template.ready();
      const before = await deployment.databases();
      expect(await rejectionOf(refill(container))).to.include({ code: '53100' });
      expect(await deployment.databases()).to.deep.equal(before);
      expect(await bookedSpares(), 'none that is not there can be claimed').to.be.empty;
      await refill(container);
      expect(await withLabel('spare')).to.deep.equal(await bookedSpares());
      expect(await bookedSpares()).to.have.length(3);
      expect(await metadata(`select from spare_databases where state <> 'ready'`)).to.be.empty;
    });
  });
});
