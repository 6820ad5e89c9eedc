import { expect } from 'chai';
import { OrganizationNotFoundError } from '../../domain/exceptions.ts';
import { ValidationError } from '../../domain/validation-error.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { captureLog } from '../support/captured-log.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { rejectionOf } from '../support/gate.ts';
import { watchAdminStatements } from '../support/provisioning-steps.ts';
import { ALL_JOBS, sampleJob } from '../support/sample-job.ts';
import { defaultServer } from '../support/servers.ts';

const HOSTILE = [
  '',
  ' ',
  'template',
  "a'; drop database postgres; --",
  'a"; drop database postgres; --',
  'a$$b',
  '../../etc/passwd',
  '..',
  'a/b',
  'a\\b',
  'a.b',
  'a\0b',
  'a\nb',
  'a\n',
  'a%00b',
  '{org_id}',
  'acmé',
  'ａｃｍｅ',
  'acme\u202e',
  '-a',
  'a-',
  '_a',
  'a_',
  'ACME',
  '__proto__',
  'a'.repeat(52),
  'a'.repeat(100_000),
];

describe('organization ids', function () {
  this.timeout(60_000);
  let deployment: Deployment;

  beforeEach(async () => {
    deployment = await createDeployment();
  });
  afterEach(() => deployment.dispose());

  describe('hostile-org-id-never-reaches-sql-name-or-path', () => {
    it('is refused before anything else', () => {
      for (const value of HOSTILE) {
        expect(() => organizationId(value), JSON.stringify(value.slice(0, 60))).to.throw(ValidationError);
      }
    });

    it('makes nothing even where a check was forgotten', async () => {
      const container = deployment.start({ LOG_LEVEL: 'debug' });
      const log = captureLog(container);
      const statements = watchAdminStatements(container);
      const manager = container.get(TOKENS.connectionManager);
      for (const value of HOSTILE.filter((text) => !text.includes('\0'))) {
        // The forgotten check.
        const forged = value as OrganizationId;
        expect(await rejectionOf(manager.acquire(forged))).to.be.instanceOf(OrganizationNotFoundError);
        expect(await rejectionOf(manager.provision(forged))).to.be.instanceOf(OrganizationNotFoundError);
      }
      expect(statements).to.be.empty;
      expect(await deployment.databases()).to.be.empty;
      expect(log.filter(({ level }) => level !== 'debug')).to.be.empty;
    });

    it('cannot be written into the metadata database', async () => {
      // The length of an id depends on the name template, which the metadata database does not know.
      for (const value of HOSTILE.filter((text) => text.length < 52 && !text.includes('\0'))) {
        const error = await rejectionOf(
          deployment.administer(
            `insert into organizations (org_id, name) values ($1, 'x')`,
            [value],
            deployment.metadataDatabase,
          ),
        );
        expect(error, JSON.stringify(value)).to.include({ constraint: 'organizations_org_id_check' });
      }
    });

    it('is only a name to the statements that carry names', async () => {
      const container = deployment.start();
      const hostile = deployment.databaseName(`x"; drop database "${deployment.metadataDatabase}"; --'$$\\`);
      const seen = await defaultServer(container).admin.exclusively('hostile', async (session) => {
        await session.createEmpty(hostile);
        await session.stampAndRename(hostile, `${hostile}2`, `it's "mad"; drop table x; --`);
        const identity = await session.identityOf(`${hostile}2`);
        await session.drop(`${hostile}2`);
        return { identity, left: await session.exists(`${hostile}2`) };
      });
      expect(seen).to.deep.equal({ identity: `it's "mad"; drop table x; --`, left: false });
      await deployment.administer('select from organizations', [], deployment.metadataDatabase);
      await container.get(TOKENS.connectionManager).closeAll();
    });
  });

  it('long-and-case-twin-org-ids-do-not-collide', async () => {
    const twins = ['1', '2'].map((end) => organizationId(`${'x'.repeat(50)}${end}`));
    expect(() => organizationId('x'.repeat(52))).to.throw(ValidationError);
    expect(() => organizationId('Acme')).to.throw(ValidationError);
    await deployment.register(...twins);
    const container = deployment.start();
    const manager = container.get(TOKENS.connectionManager);
    expect(container.get(TOKENS.config).database.maxOrganizationIdLength).to.equal(51);

    for (const twin of twins) {
      const { database, release } = await manager.acquire(twin);
      await database.jobs.insert(sampleJob({ submittedBy: twin }));
      release();
    }
    for (const twin of twins) {
      const { database, release } = await manager.acquire(twin);
      const { items } = await database.jobs.list(...ALL_JOBS);
      expect(items.map(({ submittedBy }) => submittedBy)).to.deep.equal([twin]);
      release();
    }
    const names = (await deployment.databases()).filter((name) => !name.includes('.'));
    expect(names).to.deep.equal(twins.map((twin) => deployment.databaseName(twin)));
    expect(names.map((name) => Buffer.byteLength(name))).to.deep.equal([63, 63]);
  });

  it('unknown-org-creates-nothing', async () => {
    const container = deployment.start();
    const statements = watchAdminStatements(container);
    const manager = container.get(TOKENS.connectionManager);
    const nobody = organizationId('nobody');
    const errors = await Promise.all([
      ...Array.from({ length: 20 }, () => rejectionOf(manager.acquire(nobody))),
      rejectionOf(manager.provision(nobody)),
    ]);
    for (const error of errors) expect(error).to.be.instanceOf(OrganizationNotFoundError);

    expect(statements).to.be.empty;
    expect(await deployment.databases()).to.be.empty;
    expect(manager.counts()).to.include({ pools: 0, draining: 0, leases: 0, connections: 0 });
    const rows = await deployment.administer(
      'select from organization_databases union all select from spare_databases',
      [],
      deployment.metadataDatabase,
    );
    expect(rows).to.be.empty;

    await deployment.register('nobody');
    (await manager.acquire(nobody)).release();
    expect(await deployment.databases(), 'the refusal is not remembered').to.include(
      deployment.databaseName('nobody'),
    );
  });
});
