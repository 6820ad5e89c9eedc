import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import type { MetadataDatabase } from '../../application/ports/databases/metadata-database.ts';
import { OrganizationNotFoundError } from '../../domain/exceptions.ts';
import { organizationId } from '../support/deployment.ts';
import { rejectionOf } from '../support/gate.ts';
import { inPages } from './in-pages.ts';
import { METADATA, type MetadataSubject, type Subject } from './subjects.ts';

const [ACME, BETA] = [organizationId('acme'), organizationId('beta')];
const NOBODY = '00000000-0000-4000-8000-000000000000';
const WORKER = { name: `cluster 'of' $1 ? é😀`, roles: ['worker'] as const };

const keepsServiceAccounts = (subject: Subject<MetadataSubject>): void => {
  let metadata: MetadataDatabase;
  let accounts: MetadataDatabase['serviceAccounts'];

  before(() => subject.open());
  after(() => subject.close());
  beforeEach(async () => {
    ({ metadata } = await subject.empty());
    accounts = metadata.serviceAccounts;
    for (const id of [ACME, BETA]) await metadata.organizations.insert({ id, name: id });
  });

  const listed = async (owner: typeof ACME | null) => inPages((page) => accounts.list(owner, page));

  it('belong to the organization that made them, and are seen by no other', async () => {
    const made = await accounts.insert(ACME, { ...WORKER, roles: ['member', 'worker'] });
    expect(made).to.deep.include({ name: WORKER.name, isFleet: false, roles: ['member', 'worker'] });
    expect(await accounts.find(ACME, made.accountId)).to.deep.equal(made);
    expect(await listed(ACME)).to.deep.equal([made]);
    for (const other of [BETA, null]) {
      expect(await accounts.find(other, made.accountId)).to.equal(null);
      expect(await accounts.lockOwned(other, made.accountId)).to.equal(null);
      expect(await listed(other)).to.deep.equal([]);
    }
    expect(await accounts.lockOwned(ACME, made.accountId)).to.deep.equal(made);
    const nobodys = accounts.insert(organizationId('nobody'), WORKER);
    expect(await rejectionOf(nobodys)).to.be.instanceOf(OrganizationNotFoundError);
  });

  it('are no people: neither users nor members of anything, for whoever lists or changes those', async () => {
    const { accountId } = await accounts.insert(ACME, WORKER);
    expect(await metadata.users.find(accountId)).to.equal(null);
    expect(await metadata.users.lock(accountId)).to.equal(null);
    expect(await metadata.users.findByEmail(`service-account:${accountId}`)).to.equal(null);
    expect(await inPages((page) => metadata.users.list({ email: null }, page))).to.deep.equal([]);
    expect(await inPages((page) => metadata.members.list(ACME, page))).to.deep.equal([]);
    expect(await metadata.members.find(ACME, accountId)).to.equal(null);
  });

  it('are listed in the order of their ids, in pages', async () => {
    const made = [];
    for (let n = 0; n < 5; n += 1) made.push(await accounts.insert(ACME, WORKER));
    expect(await listed(ACME)).to.deep.equal(made.toSorted((a, b) => (a.accountId < b.accountId ? -1 : 1)));
  });

  it('of the platform are admitted by organizations, and dismissed by each for itself', async () => {
    const fleet = await accounts.insert(null, { name: 'fleet', roles: ['worker'] });
    expect(fleet).to.deep.include({ isFleet: true, roles: ['worker'] });
    expect(await listed(null)).to.deep.equal([fleet]);
    expect(await accounts.find(ACME, fleet.accountId)).to.equal(null);
    expect(await accounts.admit(ACME, fleet.accountId)).to.equal(true);
    expect(await accounts.admit(ACME, fleet.accountId), 'again').to.equal(false);
    expect(await accounts.admit(BETA, fleet.accountId)).to.equal(true);
    expect(await listed(ACME)).to.deep.equal([fleet]);
    expect(await accounts.lockOwned(ACME, fleet.accountId), 'not its own').to.equal(null);
    expect(await accounts.dismiss(ACME, fleet.accountId)).to.equal(true);
    expect(await accounts.dismiss(ACME, fleet.accountId), 'again').to.equal(false);
    expect(await accounts.find(BETA, fleet.accountId)).to.deep.equal(fleet);
  });

  it('of an organization are admitted by no other, nor dismissed by their own', async () => {
    const { accountId } = await accounts.insert(ACME, WORKER);
    expect(await accounts.admit(BETA, accountId)).to.equal(null);
    expect(await accounts.admit(BETA, NOBODY)).to.equal(null);
    expect(await accounts.dismiss(ACME, accountId)).to.equal(false);
    expect(await accounts.find(ACME, accountId)).to.include({ accountId });
  });

  it('are opened by each of their keys until it is revoked', async () => {
    const { accountId } = await accounts.insert(ACME, WORKER);
    const hashes = [randomBytes(32), randomBytes(32)] as const;
    const [first, second] = [
      await accounts.addKey(accountId, hashes[0]),
      await accounts.addKey(accountId, hashes[1]),
    ];
    expect(first).to.include({ lastUsedAt: null });
    expect(await accounts.listKeys(accountId)).to.have.deep.members([first, second]);
    const grant = { accountId, keyId: first.keyId, organizationId: ACME, roles: ['worker'] };
    expect(await accounts.useKey(hashes[0])).to.deep.equal(grant);
    expect((await accounts.listKeys(accountId)).map(({ lastUsedAt }) => lastUsedAt === null)).to.have.members(
      [false, true],
    );
    expect(await accounts.useKey(randomBytes(32))).to.equal(null);

    expect(await accounts.revokeKey(NOBODY, first.keyId)).to.equal(false);
    expect(await accounts.revokeKey(accountId, first.keyId)).to.equal(true);
    expect(await accounts.revokeKey(accountId, first.keyId), 'again').to.equal(false);
    expect(await accounts.useKey(hashes[0])).to.equal(null);
    expect(await accounts.useKey(hashes[1])).to.deep.equal({ ...grant, keyId: second.keyId });
    expect((await accounts.listKeys(accountId)).map(({ keyId }) => keyId)).to.deep.equal([second.keyId]);
  });

  it('are opened without an organization where they are the platform’s', async () => {
    const { accountId } = await accounts.insert(null, WORKER);
    await accounts.admit(ACME, accountId);
    const hash = randomBytes(32);
    const { keyId } = await accounts.addKey(accountId, hash);
    expect(await accounts.useKey(hash)).to.deep.equal({ accountId, keyId, organizationId: null, roles: [] });
  });

  it('take their keys and memberships with them', async () => {
    const { accountId } = await accounts.insert(null, WORKER);
    await accounts.admit(ACME, accountId);
    const hash = randomBytes(32);
    await accounts.addKey(accountId, hash);
    const user = await metadata.users.insert({ email: 'ada@example.org', platformAdmin: false });
    await accounts.remove(user?.userId ?? '');
    expect(await metadata.users.findByEmail('ada@example.org'), 'a person').to.deep.equal(user);
    await accounts.remove(accountId);
    expect(await accounts.find(null, accountId)).to.equal(null);
    expect(await accounts.find(ACME, accountId)).to.equal(null);
    expect(await accounts.useKey(hash)).to.equal(null);
  });
};

for (const subject of METADATA) {
  describe(`service accounts of the metadata ${subject.name}`, function () {
    this.timeout(60_000);
    keepsServiceAccounts(subject);
  });
}
