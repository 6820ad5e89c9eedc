import { expect } from 'chai';
import type { MetadataDatabase } from '../../application/ports/metadata-database.ts';
import { OrganizationAlreadyExistsError, OrganizationNotFoundError } from '../../domain/exceptions.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { rejectionOf } from '../support/gate.ts';

const [ACME, BETA] = [organizationId('acme'), organizationId('beta')];
const HASH = '$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA';

describe('the repositories of the metadata database', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let metadata: MetadataDatabase;

  before(async () => {
    deployment = await createDeployment();
    metadata = deployment.start().get(TOKENS.metadataDatabase);
  });
  after(() => deployment.dispose());
  beforeEach(() =>
    // The trail itself refuses to be emptied.
    execute(`alter table audit_logs disable trigger user; alter table audit_chains disable trigger user;
      truncate organizations, users, audit_logs, audit_chains cascade;
      alter table audit_logs enable trigger user; alter table audit_chains enable trigger user`),
  );

  const execute = <Row>(text: string): Promise<readonly Row[]> =>
    deployment.administer<Row>(text, [], deployment.metadataDatabase);

  describe('organizations', () => {
    it('are made once, also when many try at the same time', async () => {
      const name = `A 'name' with $1, ? and é😀`;
      const attempts = await Promise.allSettled(
        Array.from({ length: 10 }, () => metadata.organizations.insert({ id: ACME, name })),
      );
      const refusals = attempts.flatMap((attempt) => (attempt.status === 'rejected' ? [attempt.reason] : []));
      expect(refusals).to.have.length(9);
      for (const refusal of refusals) expect(refusal).to.be.instanceOf(OrganizationAlreadyExistsError);
      expect(await metadata.organizations.find(ACME)).to.include({ id: ACME, name, status: 'active' });
      expect(await metadata.organizations.find(BETA)).to.equal(null);
    });

    it('are renamed, and listed by id in pages', async () => {
      const ids = ['d', 'a', 'c', 'b', 'a-b', 'a_b', 'ab'].map((id) => organizationId(id));
      for (const id of ids) await metadata.organizations.insert({ id, name: id });
      expect(await metadata.organizations.rename(ACME, 'x')).to.equal(null);
      expect(await metadata.organizations.rename(organizationId('a'), 'x')).to.include({ name: 'x' });
      const seen: string[] = [];
      let after: string | null = null;
      do {
        const page: { items: readonly { id: string }[]; next: string | null } =
          await metadata.organizations.list({
            limit: 2,
            after,
          });
        seen.push(...page.items.map(({ id }) => id));
        after = page.next;
      } while (after !== null);
      expect(seen.toSorted()).to.deep.equal(ids.toSorted());
      expect(new Set(seen).size).to.equal(ids.length);
    });

    it('have settings, empty at first, that are replaced as a whole', async () => {
      expect(await metadata.organizations.findSettings(ACME)).to.equal(null);
      expect(await rejectionOf(metadata.organizations.replaceSettings(ACME, {}))).to.be.instanceOf(
        OrganizationNotFoundError,
      );
      await deployment.register('acme');
      expect(await metadata.organizations.findSettings(ACME)).to.deep.equal({ settings: {}, version: 0 });
      const first = await metadata.organizations.replaceSettings(ACME, { a: [1, '$1 ?'], b: null });
      const second = await metadata.organizations.replaceSettings(ACME, { b: 'é😀' });
      expect([first, second]).to.deep.equal([1, 2]);
      expect(await metadata.organizations.findSettings(ACME)).to.deep.equal({
        settings: { b: 'é😀' },
        version: 2,
      });
    });
  });

  describe('the audit trail', () => {
    const event = (index: number, organization = ACME) => ({
      organizationId: organization,
      userId: index % 2 === 0 ? 'user-1' : null,
      action: index % 3 === 0 ? 'job.moved' : 'job.submitted',
      entityType: 'job',
      entityId: `${index}`,
      details: { index, text: `$1 ? 'é😀'` },
      requestId: null,
    });

    it('is listed newest first, in pages, per organization and action', async () => {
      for (let i = 0; i < 10; i += 1) await metadata.auditLog.append(event(i));
      await metadata.auditLog.append(event(99, BETA));
      const list = async (action: string | null, limit: number): Promise<readonly string[]> => {
        const seen: string[] = [];
        let after: string | null = null;
        do {
          const page: { items: readonly { entityId: string }[]; next: string | null } =
            await metadata.auditLog.list(ACME, { action }, { limit, after });
          seen.push(...page.items.map(({ entityId }) => entityId));
          after = page.next;
          // What is added meanwhile comes before the first page.
          if (seen.length < 4) await metadata.auditLog.append(event(100 + seen.length));
        } while (after !== null);
        return seen;
      };
      expect(await list(null, 3)).to.deep.equal(['9', '8', '7', '6', '5', '4', '3', '2', '1', '0']);
      expect((await list('job.moved', 50)).filter((id) => id.length === 1)).to.deep.equal([
        '9',
        '6',
        '3',
        '0',
      ]);
      const [entry] = (await metadata.auditLog.list(BETA, { action: null }, { limit: 5, after: null })).items;
      expect(entry).to.deep.include(event(99, BETA));
      expect(entry?.at).to.be.instanceOf(Date);
    });

    it('of what was rolled back holds nothing', async () => {
      await rejectionOf(
        metadata.transaction(async ({ auditLog }) => {
          await auditLog.append(event(1));
          throw new Error('changed my mind');
        }),
      );
      expect(await execute('select from audit_logs')).to.be.empty;
    });
  });

  describe('users', () => {
    it('are made once, with their identity, whatever the case of the address and however many try', async () => {
      const made = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          metadata.users.ensureUser({
            email: index % 2 === 0 ? 'Ada@Example.org' : 'ada@example.ORG',
            passwordHash: `${HASH}${index}`,
            platformAdmin: true,
          }),
        ),
      );
      expect(made.filter(({ created }) => created)).to.have.length(1);
      expect(new Set(made.map(({ userId }) => userId)).size).to.equal(1);
      expect(await execute('select from users')).to.have.length(1);
      expect(await execute('select from identities')).to.have.length(1);
      const winner = made.findIndex(({ created }) => created);
      expect(await metadata.users.findPasswordIdentity('ADA@example.org')).to.deep.equal({
        userId: made[0]?.userId,
        passwordHash: `${HASH}${winner}`,
        mustChange: false,
        active: true,
        platformAdmin: true,
      });
      expect(await metadata.users.findPasswordIdentity('bob@example.org')).to.equal(null);
    });

    it('have roles per organization that are replaced', async () => {
      await deployment.register('acme', 'beta');
      const { userId } = await metadata.users.ensureUser({
        email: 'a@b.c',
        passwordHash: HASH,
        platformAdmin: false,
      });
      expect(await metadata.users.listMemberships(userId)).to.be.empty;
      await metadata.users.setMembership(userId, { organizationId: ACME, roles: ['member', 'worker'] });
      await metadata.users.setMembership(userId, { organizationId: BETA, roles: ['member'] });
      await metadata.users.setMembership(userId, { organizationId: ACME, roles: ['org_admin'] });
      expect(await metadata.users.listMemberships(userId)).to.deep.equal([
        { organizationId: ACME, roles: ['org_admin'] },
        { organizationId: BETA, roles: ['member'] },
      ]);
    });
  });
});
