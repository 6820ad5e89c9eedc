import { expect } from 'chai';
import type { Container } from 'inversify';
import type { ReconcileOptions } from '../../application/databases/reconcile.ts';
import type { Finding } from '../../application/ports/databases/database-upkeep.ts';
import { DatabaseConnectionError, DatabaseError } from '../../domain/exceptions.ts';
import {
  OrganizationDatabaseNotFoundError,
  OrganizationNotReadyError,
} from '../../domain/databases/errors.ts';
import { markOf } from '../../domain/databases/database-identity.ts';
import { DEFAULT_SERVER } from '../../domain/databases/server.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { decorate } from '../support/decorate.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { Gate, rejectionOf } from '../support/gate.ts';
import { hookProvisioning } from '../support/provisioning-steps.ts';
import { ALL_JOBS, sampleJob } from '../support/sample-job.ts';
import { defaultServer, overrideServers, overrideSessions } from '../support/servers.ts';

const ACME = organizationId('acme');
const BETA = organizationId('beta');

describe('reconciliation of the books with the server', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let container: Container;

  beforeEach(async () => {
    deployment = await createDeployment();
    await deployment.register('acme', 'beta');
    container = deployment.start();
  });
  afterEach(() => deployment.dispose());

  const metadata = <Row>(sql: string, values: readonly unknown[] = []): Promise<readonly Row[]> =>
    deployment.administer<Row>(sql, values, deployment.metadataDatabase);

  /** What a reconciliation found on the one server, in the words of before there were several. */
  const findingsOf = async (
    own: Container,
    options: Partial<ReconcileOptions> = {},
  ): Promise<readonly Omit<Finding, 'serverId'>[]> => {
    const report = await own.get(TOKENS.reconcileDatabases)({
      dryRun: false,
      quarantineForeign: false,
      ...options,
    });
    expect(report.unreachable).to.be.empty;
    return report.findings.map(({ serverId, ...finding }) => {
      expect(serverId).to.equal(DEFAULT_SERVER);
      return finding;
    });
  };
  const reconcile = (options: { dryRun?: boolean } = {}): ReturnType<typeof findingsOf> =>
    findingsOf(deployment.start(), options);

  const jobsOf = async (own: Container, id: typeof ACME): Promise<readonly string[]> => {
    const { database, release } = await own.get(TOKENS.connectionManager).acquire(id);
    try {
      return (await database.jobs.list(...ALL_JOBS)).items.map(({ submittedBy }) => submittedBy);
    } finally {
      release();
    }
  };

  const write = async (own: Container, id: typeof ACME, submittedBy: string): Promise<void> => {
    const { database, release } = await own.get(TOKENS.connectionManager).acquire(id);
    try {
      await database.jobs.insert(sampleJob({ submittedBy }));
    } finally {
      release();
    }
  };

  const internalName = (label: string): string => `${label}.${deployment.databaseName('').replace(/_$/, '')}`;

  /** Databases of organizations and those put aside. */
  const made = async (): Promise<readonly string[]> =>
    (await deployment.databases()).filter((name) => !name.startsWith('template.'));

  /** Everything that a reconciliation could change. */
  const everything = async (): Promise<readonly unknown[]> => [
    await deployment.administer(
      `select datname, datallowconn, datacl, shobj_description(oid, 'pg_database') as comment from pg_database
       where datname = any($1) order by 1`,
      [await deployment.databases()],
    ),
    await metadata('select * from organization_databases order by org_id'),
    await metadata('select * from spare_databases order by spare_id'),
    await metadata('select * from audit_logs order by 1'),
  ];

  const loseRecord = (): Promise<unknown> =>
    metadata(`delete from organization_databases where org_id = 'acme'`);

  const makeSpareOnNoBook = async (name: string): Promise<void> => {
    await deployment.administer(`create database "${name}"`);
    const mark = markOf(await container.get(TOKENS.deployment).id());
    await deployment.administer(`comment on database "${name}" is '${mark}'`);
  };

  /** A provisioning that stops before the database gets its name. */
  const leaveHalfMade = async (id: typeof ACME): Promise<void> => {
    const broken = deployment.start();
    hookProvisioning(broken, (step, proceed) => {
      if (step === 'adopt') throw new Error('out of luck');
      return proceed();
    });
    await rejectionOf(broken.get(TOKENS.connectionManager).acquire(id));
  };

  it('finds nothing where everything is as recorded', async () => {
    await write(container, ACME, 'user-1');
    await container.get(TOKENS.retireDatabase)(ACME);
    await write(deployment.start(), ACME, 'user-2');
    await write(container, BETA, 'user-3');
    expect(await reconcile()).to.be.empty;
  });

  it('takes what another process makes while it looks neither for an orphan nor for missing', async () => {
    const looking = deployment.start();
    let writing: Promise<void> | undefined;
    const meanwhile = (): Promise<void> => (writing ??= write(container, ACME, 'meanwhile'));
    decorate(looking, TOKENS.databaseLedger, (ledger) => ({
      list: async (...values) => {
        const page = await ledger.list(...values);
        await meanwhile();
        return page;
      },
    }));
    overrideSessions(looking, (session) => ({
      listDatabases: async (page) => {
        const databases = await session.listDatabases(page);
        await meanwhile();
        return databases;
      },
    }));
    expect(await findingsOf(looking)).to.be.empty;
    expect(writing, 'between its two looks').to.not.equal(undefined);
    expect(await jobsOf(deployment.start(), ACME)).to.deep.equal(['meanwhile']);
    expect(await container.get(TOKENS.databaseLedger).find(ACME)).to.include({ lastError: null });
  });

  describe('reconciler-acts-on-what-is-not-on-what-was', () => {
    const OPTIONS = { quarantineForeign: true };

    /** Looks while something happens between its look at the server and its look at the books. */
    const reconcileWhile = (
      looking: Container,
      happens: () => Promise<unknown>,
    ): ReturnType<typeof findingsOf> => {
      overrideSessions(looking, (session) => ({
        listDatabases: async (page) => {
          const databases = await session.listDatabases(page);
          await happens();
          return databases;
        },
      }));
      return findingsOf(looking, OPTIONS);
    };

    it('a metadata database that goes away is said to be away, and no server is', async () => {
      const looking = deployment.start();
      const away = new DatabaseConnectionError('The metadata database does not answer.');
      // For this one question: what is asked afterwards must not tell in its stead.
      decorate(looking, TOKENS.spareLedger, () => ({ listNames: () => Promise.reject(away) }));
      expect(await rejectionOf(findingsOf(looking))).to.equal(away);
    });

    it('a database that was made again meanwhile is left alone', async () => {
      await write(container, ACME, 'of the first');
      const findings = await reconcileWhile(deployment.start(), async () => {
        await container.get(TOKENS.retireDatabase)(ACME);
        await write(deployment.start(), ACME, 'of the second');
      });
      expect(findings).to.be.empty;
      expect(await jobsOf(deployment.start(), ACME)).to.deep.equal(['of the second']);
      expect(await metadata(`select from audit_logs where action = 'database.quarantined'`)).to.be.empty;
    });

    it('a spare that became an organization’s meanwhile is left alone, with its role', async () => {
      const settings = {
        DB_SPARES_MIN: '1',
        DB_SPARES_MAX: '1',
        DB_ORG_ROLES: 'true',
        DB_ROLE_SECRET: 'a secret for roles that is long enough',
      };
      await deployment.start(settings).get(TOKENS.spareKeeper).refill();
      const looking = deployment.start(settings);
      const findings = await reconcileWhile(looking, () => write(deployment.start(settings), ACME, 'user-1'));
      expect(findings).to.be.empty;
      expect(await jobsOf(deployment.start(settings), ACME)).to.deep.equal(['user-1']);
    });

    it('nothing is done to a database before whoever works on it has ended', async () => {
      await write(container, ACME, 'user-1');
      const [row] = await metadata<{ record: unknown }>(
        'select to_jsonb(d) as record from organization_databases d',
      );
      await loseRecord();
      const name = deployment.databaseName('acme');
      const working = new Gate();
      const work = defaultServer(container).exclusively(name, () => working.pass());
      await working.reached;

      const looking = deployment.start();
      const atLock = new Gate();
      overrideServers(looking, (server) => ({
        exclusively: (lock, ...values) => {
          if (lock === name) void atLock.pass();
          return server.exclusively(lock, ...values);
        },
      }));
      const findings = findingsOf(looking, OPTIONS);
      await Promise.race([atLock.reached, findings]);
      await metadata(
        'insert into organization_databases select * from jsonb_populate_record(null::organization_databases, $1)',
        [row?.record],
      );
      working.open();
      await work;
      expect(await findings).to.be.empty;
      expect(await jobsOf(deployment.start(), ACME)).to.deep.equal(['user-1']);
    });
  });

  it('metadata-commit-lost-orphan-database-found-and-quarantined', async () => {
    await write(container, ACME, 'before the loss');
    await loseRecord();
    const name = deployment.databaseName('acme');

    expect(await reconcile()).to.deep.equal([
      { kind: 'orphan', database: name, organizationId: 'acme', action: 'quarantined' },
    ]);
    const [aside = '', ...others] = await made();
    expect(others).to.be.empty;
    expect(aside).to.match(/^orphan\./);
    const [row] = await deployment.administer<{ datallowconn: boolean }>(
      'select datallowconn from pg_database where datname = $1',
      [aside],
    );
    expect(row).to.deep.equal({ datallowconn: false });
    expect(
      await metadata(`select org_id, details from audit_logs where action = 'database.quarantined'`),
    ).to.deep.equal([{ org_id: 'acme', details: { renamed_to: aside } }]);
    expect(await reconcile(), 'a second look').to.be.empty;

    await deployment.start().get(TOKENS.adoptDatabase)(ACME, { from: aside });
    expect(await made()).to.deep.equal([name]);
    expect(await jobsOf(deployment.start(), ACME)).to.deep.equal(['before the loss']);
    expect(await reconcile(), 'after the adoption').to.be.empty;
  });

  it('metadata-commit-lost-orphan-database-found-and-quarantined: before the organization asks again', async () => {
    await write(container, ACME, 'before the loss');
    await loseRecord();
    // Without a reconciliation, nobody gets the database of an earlier record in silence.
    expect(
      await rejectionOf(deployment.start().get(TOKENS.connectionManager).acquire(ACME)),
    ).to.be.instanceOf(DatabaseError);
    const [row] = await deployment.administer<{ jobs: number }>(
      'select count(*)::int as jobs from docking_jobs',
      [],
      deployment.databaseName('acme'),
    );
    expect(row).to.deep.equal({ jobs: 1 });
    const findings = await reconcile();
    expect(findings.map(({ kind, action }) => [kind, action])).to.deep.equal([
      ['orphan', 'quarantined'],
      ['half-made', 'resumed'],
    ]);
    expect(await jobsOf(deployment.start(), ACME), 'a new database').to.be.empty;
  });

  it('database-dropped-behind-our-back-is-reported-not-recreated-empty', async () => {
    await write(container, ACME, 'user-1');
    const name = deployment.databaseName('acme');
    await deployment.administer(`drop database "${name}" with (force)`);

    for (const own of [container, deployment.start()]) {
      const error = await rejectionOf(jobsOf(own, ACME));
      expect(error).to.be.instanceOf(DatabaseConnectionError);
    }
    expect(await made()).to.be.empty;
    for (let look = 0; look < 2; look += 1) {
      expect(await reconcile()).to.deep.equal([
        { kind: 'missing', database: name, organizationId: 'acme', action: 'reported' },
      ]);
    }
    const record = await container.get(TOKENS.databaseLedger).find(ACME);
    expect(record).to.include({ state: 'ready' });
    expect(record?.lastError).to.match(/missing/);
    expect(await rejectionOf(jobsOf(deployment.start(), ACME))).to.be.instanceOf(DatabaseConnectionError);
    expect(await made(), 'made again').to.be.empty;
  });

  it('database-dropped-behind-our-back-is-reported-not-recreated-empty: its error is cleared when it is back', async () => {
    await write(container, ACME, 'user-1');
    await write(container, BETA, 'user-2');
    const name = deployment.databaseName('acme');
    await deployment.administer(
      `select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = $1`,
      [name],
    );
    await deployment.administer(`alter database "${name}" rename to "${name}.moved"`);
    expect((await reconcile()).map(({ kind }) => kind)).to.deep.equal(['missing']);
    expect(await jobsOf(container, BETA), 'the others are served').to.deep.equal(['user-2']);

    await deployment.administer(`alter database "${name}.moved" rename to "${name}"`);
    expect(await reconcile()).to.be.empty;
    expect(await container.get(TOKENS.databaseLedger).find(ACME)).to.include({ lastError: null });
    expect(await jobsOf(deployment.start(), ACME)).to.deep.equal(['user-1']);
  });

  describe('recreated-org-id-does-not-see-old-data-or-old-pool', () => {
    it('recreated-org-id-does-not-see-old-data-or-old-pool: made again by another process', async () => {
      const old = deployment.start();
      await write(old, ACME, 'of the first');
      const before = await container.get(TOKENS.databaseLedger).find(ACME);

      const aside = await container.get(TOKENS.retireDatabase)(ACME);
      await write(container, ACME, 'of the second');

      // The pool that was open all the while: refused at most, never wrong.
      const answers: (readonly string[])[] = [];
      for (let attempt = 0; attempt < 3; attempt += 1) {
        await jobsOf(old, ACME).then(
          (jobs) => void answers.push(jobs),
          (error: unknown) => expect(error).to.be.instanceOf(DatabaseConnectionError),
        );
      }
      expect(answers.length, 'it recovers by itself').to.be.greaterThan(0);
      for (const jobs of answers) expect(jobs).to.deep.equal(['of the second']);

      const after = await container.get(TOKENS.databaseLedger).find(ACME);
      expect(after?.generation).to.equal((before?.generation ?? 0) + 1);
      expect(after?.stamp).to.not.equal(before?.stamp);
      expect(await made()).to.have.members([deployment.databaseName('acme'), aside]);
    });

    it('recreated-org-id-does-not-see-old-data-or-old-pool: made again by the process with the old pool', async () => {
      await write(container, ACME, 'of the first');
      await deployment.start().get(TOKENS.retireDatabase)(ACME);
      const answers: (readonly string[])[] = [];
      for (let attempt = 0; attempt < 3; attempt += 1) {
        await jobsOf(container, ACME).then(
          (jobs) => void answers.push(jobs),
          (error: unknown) => expect(error).to.be.instanceOf(DatabaseConnectionError),
        );
      }
      expect(answers.length, 'it recovers by itself').to.be.greaterThan(0);
      for (const jobs of answers) expect(jobs).to.be.empty;
    });

    it('recreated-org-id-does-not-see-old-data-or-old-pool: a request that is under way does not write into either', async () => {
      const { database, release } = await container.get(TOKENS.connectionManager).acquire(ACME);
      const other = deployment.start();
      try {
        await database.jobs.list(...ALL_JOBS);
        await other.get(TOKENS.retireDatabase)(ACME);
        expect(await jobsOf(other, ACME)).to.be.empty;
        expect(await rejectionOf(database.jobs.insert(sampleJob({ submittedBy: 'late' })))).to.be.instanceOf(
          DatabaseConnectionError,
        );
        // Its connection is known to be broken now; a new one finds the other database.
        expect(await rejectionOf(database.jobs.insert(sampleJob({ submittedBy: 'late' })))).to.be.instanceOf(
          DatabaseConnectionError,
        );
      } finally {
        release();
      }
      expect(await jobsOf(other, ACME)).to.be.empty;
    });
  });

  it('foreign-database-is-reported-and-untouched', async () => {
    const name = deployment.databaseName('stranger');
    await deployment.administer(`create database "${name}"`);
    await deployment.administer('create table theirs as select 42 as id', [], name);
    const before = await everything();

    for (let look = 0; look < 2; look += 1) {
      expect(await reconcile()).to.deep.equal([
        { kind: 'foreign', database: name, organizationId: 'stranger', action: 'reported' },
      ]);
    }
    expect(await everything()).to.deep.equal(before);
    expect(await deployment.administer('select id from theirs', [], name)).to.deep.equal([{ id: 42 }]);

    // On an operator's word, it is put aside with its data.
    const findings = await findingsOf(deployment.start(), { quarantineForeign: true });
    expect(findings.map(({ action }) => action)).to.deep.equal(['quarantined']);
    const [aside = ''] = await made();
    await deployment.administer(`alter database "${aside}" with allow_connections true`);
    expect(await deployment.administer('select id from theirs', [], aside)).to.deep.equal([{ id: 42 }]);
  });

  it('one-cluster-under-two-names-puts-nobody-aside', async () => {
    await write(container, ACME, 'acme');
    const template = deployment.environment['DB_RESULTS_DB_TEMPLATE'] ?? '';
    const mistaken = deployment.start({ DB_RESULTS_DB_TEMPLATE_TWIN: template });
    await defaultServer(mistaken).template.ready();
    const before = await deployment.databases();
    const { findings } = await mistaken.get(TOKENS.reconcileDatabases)({
      dryRun: false,
      quarantineForeign: false,
    });
    expect(findings).to.be.empty;
    expect(await deployment.databases()).to.deep.equal(before);
    expect(await jobsOf(deployment.start(), ACME)).to.deep.equal(['acme']);
  });

  it('stale-spare-on-no-book-is-dropped', async () => {
    const recorded = deployment.start({ DB_SPARES_MIN: '1', DB_SPARES_MAX: '1' });
    await recorded.get(TOKENS.spareKeeper).refill();
    const kept = await deployment.databases();
    const name = internalName('spare.00ddba11f00d');
    await makeSpareOnNoBook(name);
    // Of an earlier release, or of another deployment's: it does not say.
    const unmarked = internalName('spare.00ddba11f00e');
    await deployment.administer(`create database "${unmarked}"`);

    expect(await reconcile()).to.deep.equal([
      { kind: 'stale-spare', database: name, organizationId: null, action: 'dropped' },
      { kind: 'stale-spare', database: unmarked, organizationId: null, action: 'reported' },
    ]);
    expect(await deployment.databases()).to.have.members([...kept, unmarked]);
  });

  it('stale-spare-on-no-book-is-dropped: also what is left of the building of a template, but none under way', async () => {
    const { hash } = await defaultServer(container).template.ready();
    const deploymentId = await container.get(TOKENS.deployment).id();
    const [left, underWay] = [internalName('build.0123456789'), internalName(`build.${hash}-a0`)];
    for (const name of [left, underWay]) {
      await deployment.administer(`create database "${name}"`);
      await deployment.administer(`comment on database "${name}" is '${markOf(deploymentId)}'`);
    }
    expect(await reconcile()).to.deep.equal([
      { kind: 'stale-spare', database: left, organizationId: null, action: 'dropped' },
    ]);
    expect(await deployment.databases())
      .to.include(underWay)
      .and.not.include(left);
  });

  it('roles-switched-on-later-lock-nobody-out-after-a-reconciliation', async () => {
    const WITH_ROLES = { DB_ORG_ROLES: 'true', DB_ROLE_SECRET: 'a secret for roles that is long enough' };
    await write(container, ACME, 'user-1');
    await write(container, BETA, 'user-2');
    const withRoles = deployment.start(WITH_ROLES);
    expect(await rejectionOf(jobsOf(withRoles, ACME))).to.be.instanceOf(DatabaseConnectionError);
    expect(await rejectionOf(withRoles.get(TOKENS.connectionManager).provision(ACME))).to.be.instanceOf(
      DatabaseConnectionError,
    );
    expect((await container.get(TOKENS.databaseLedger).find(ACME))?.lastError).to.match(/role/);

    const look = (options: Partial<ReconcileOptions>): ReturnType<typeof findingsOf> =>
      findingsOf(deployment.start(WITH_ROLES), options);
    for (const [action, options] of [
      ['reported', { resumeOnly: true }],
      ['admitted', {}],
    ] as const) {
      expect(await look(options)).to.deep.equal(
        ['acme', 'beta'].map((id) => ({
          kind: 'locked-out',
          database: deployment.databaseName(id),
          organizationId: id,
          action,
        })),
      );
    }
    expect(await look({})).to.be.empty;
    expect(await jobsOf(deployment.start(WITH_ROLES), ACME)).to.deep.equal(['user-1']);
    await write(withRoles, BETA, 'user-3');
    expect(await jobsOf(container, BETA), 'also without roles').to.have.members(['user-2', 'user-3']);
    await withRoles.get(TOKENS.connectionManager).provision(ACME);
    expect(await container.get(TOKENS.databaseLedger).find(ACME)).to.include({ lastError: null });
  });

  it('half-made-is-resumed', async () => {
    await leaveHalfMade(ACME);
    expect((await made()).map((name) => name.split('.')[0])).to.deep.equal(['spare']);

    expect(await reconcile()).to.deep.equal([
      {
        kind: 'half-made',
        database: deployment.databaseName('acme'),
        organizationId: 'acme',
        action: 'resumed',
      },
    ]);
    expect(await made()).to.deep.equal([deployment.databaseName('acme')]);
    expect(await container.get(TOKENS.databaseLedger).find(ACME)).to.include({
      state: 'ready',
      lastError: null,
    });
    expect(await metadata('select from spare_databases')).to.be.empty;
    expect(await jobsOf(container, ACME)).to.be.empty;
  });

  it('half-made-is-resumed: that of a suspended organization waits until it is back, and is no failure', async () => {
    const broken = deployment.start();
    hookProvisioning(broken, (step, proceed) => {
      if (step === 'adopt') throw new Error('out of luck');
      return proceed();
    });
    await rejectionOf(broken.get(TOKENS.connectionManager).acquire(ACME));
    await metadata(`update organizations set status = 'suspended' where org_id = 'acme'`);
    const finding = { kind: 'half-made', database: deployment.databaseName('acme'), organizationId: ACME };
    expect(await reconcile()).to.deep.equal([{ ...finding, action: 'reported' }]);
    await metadata(`update organizations set status = 'active' where org_id = 'acme'`);
    expect(await reconcile()).to.deep.equal([{ ...finding, action: 'resumed' }]);
    expect(await jobsOf(container, ACME)).to.be.empty;
  });

  it('a template under other names of databases is kept on the books', async () => {
    await defaultServer(container).template.ready();
    const names = (deployment.environment['DB_RESULTS_DB_TEMPLATE'] ?? '').replace(
      '_%7Borg',
      '_other_%7Borg',
    );
    const renamed = deployment.start({ DB_RESULTS_DB_TEMPLATE: names });
    const { databaseName } = await defaultServer(renamed).template.ready();
    expect(databaseName).to.match(/_other$/);
    const before = await deployment.databases();

    expect(await findingsOf(renamed)).to.be.empty;
    expect(await deployment.databases()).to.deep.equal(before);
  });

  it('says of a database that an operator is putting aside that it is not ready now', async () => {
    await write(container, ACME, 'user-1');
    await metadata(`update organization_databases set state = 'retiring'`);
    expect(await rejectionOf(jobsOf(deployment.start(), ACME))).to.be.instanceOf(OrganizationNotReadyError);
  });

  it('a-retired-database-is-made-again-by-the-next-access-only', async () => {
    await write(container, ACME, 'user-1');
    const aside = await container.get(TOKENS.retireDatabase)(ACME);
    expect(await reconcile()).to.be.empty;
    expect(await made()).to.deep.equal([aside]);

    const reluctant = deployment.start({ DB_AUTO_CREATE_ORG_DBS: 'false' });
    expect(await rejectionOf(jobsOf(reluctant, ACME))).to.be.instanceOf(OrganizationDatabaseNotFoundError);
    expect(await made()).to.deep.equal([aside]);
    expect(await jobsOf(deployment.start(), ACME)).to.be.empty;
  });

  it('dry-run-changes-nothing', async () => {
    await deployment.register('gamma', 'delta');
    await write(container, ACME, 'user-1');
    await loseRecord();
    await leaveHalfMade(BETA);
    await write(container, organizationId('gamma'), 'user-1');
    await deployment.administer(`drop database "${deployment.databaseName('gamma')}" with (force)`);
    await deployment.administer(`create database "${deployment.databaseName('stranger')}"`);
    await makeSpareOnNoBook(internalName('spare.00ddba11f00d'));
    const before = await everything();

    const foreseen = await reconcile({ dryRun: true });
    expect(foreseen.map(({ kind, action }) => `${kind} ${action}`)).to.have.members([
      'orphan quarantined',
      'half-made resumed',
      'missing reported',
      'foreign reported',
      'stale-spare dropped',
    ]);
    expect(await everything()).to.deep.equal(before);
    expect(await reconcile(), 'does what it foresaw').to.deep.equal(foreseen);
  });
});
