import { expect } from 'chai';
import { OrganizationWatch } from '../../../application/organizations/organization-watch.ts';
import { parseOrganizationId, type OrganizationId } from '../../../domain/organizations/organization-id.ts';
import type { OrganizationControls } from '../../../domain/organizations/organization-repository.ts';
import { FakeFeed } from '../../support/fakes/fake-feed.ts';
import { Gate } from '../../support/gate.ts';

const ACME = parseOrganizationId('acme', 51);
const BETA = parseOrganizationId('beta', 51);

const suspended = (organizationId: OrganizationId): OrganizationControls => ({
  organizationId,
  status: 'suspended',
  settings: {},
});

/** What the metadata database holds, and every time that it was read. */
class FakeControls {
  stored: readonly OrganizationControls[] = [];
  reads: (readonly OrganizationId[] | null)[] = [];
  fail = false;
  gate: Gate | null = null;

  async listControls(ids: readonly OrganizationId[] | null): Promise<readonly OrganizationControls[]> {
    this.reads.push(ids);
    if (this.fail) throw new Error('the database is away');
    const seen = this.stored.filter(({ organizationId }) => ids === null || ids.includes(organizationId));
    await this.gate?.pass();
    return seen;
  }
}

const setUp = () => {
  const organizations = new FakeControls();
  const feed = new FakeFeed();
  const clock = { now: 0 };
  const watch = new OrganizationWatch({ organizations, feed, now: () => clock.now, patienceMs: 20 });
  return { organizations, feed, clock, watch };
};

describe('OrganizationWatch', () => {
  it('costs a request nothing while the feed is up to date', async () => {
    const { organizations, watch, feed } = setUp();
    organizations.stored = [suspended(ACME)];
    await feed.subscriber?.reset();
    expect(watch.confirm(ACME)).to.equal(undefined);
    expect([watch.isSuspended(ACME), watch.isSuspended(BETA)]).to.deep.equal([true, false]);
    expect(organizations.reads).to.deep.equal([null]);
  });

  it('reads an organization at most every two seconds while the feed is behind', async () => {
    const { organizations, watch, feed, clock } = setUp();
    feed.isCurrent = false;
    await Promise.all(Array.from({ length: 50 }, async () => watch.confirm(ACME)));
    organizations.stored = [suspended(ACME)];
    clock.now = 1999;
    await watch.confirm(ACME);
    expect([watch.isSuspended(ACME), organizations.reads.length]).to.deep.equal([false, 1]);
    clock.now = 2000;
    await watch.confirm(ACME);
    expect([watch.isSuspended(ACME), organizations.reads.length]).to.deep.equal([true, 2]);
    organizations.stored = [];
    clock.now = 4000;
    await watch.confirm(ACME);
    expect(watch.isSuspended(ACME), 'it was resumed').to.equal(false);
    expect(organizations.reads).to.deep.equal([[ACME], [ACME], [ACME]]);
  });

  it('reads quotas and deadlines as well', async () => {
    const { organizations, watch, feed } = setUp();
    feed.isCurrent = false;
    organizations.stored = [{ organizationId: ACME, status: 'active', settings: { max_connections: 2 } }];
    await watch.confirm(ACME);
    expect(watch.policyOf(ACME)).to.deep.equal({ maxConnections: 2 });
  });

  it('keeps what it knows while the metadata database is away, and holds up nobody for long', async () => {
    const { organizations, watch, feed, clock } = setUp();
    organizations.stored = [suspended(ACME)];
    await feed.subscriber?.reset();
    feed.isCurrent = false;
    organizations.fail = true;
    for (const now of [10_000, 3_600_000]) {
      clock.now = now;
      await watch.confirm(ACME);
      await watch.confirm(BETA);
      expect([watch.isSuspended(ACME), watch.isSuspended(BETA)]).to.deep.equal([true, false]);
    }
    organizations.fail = false;
    organizations.gate = new Gate();
    clock.now += 10_000;
    await watch.confirm(BETA);
    expect(watch.isSuspended(BETA)).to.equal(false);
    organizations.gate.open();
  });

  it('takes what the feed tells for newer than an answer that was on its way', async () => {
    const { organizations, watch, feed } = setUp();
    feed.isCurrent = false;
    const gate = new Gate();
    organizations.gate = gate;
    const early = watch.confirm(ACME);
    await gate.reached;
    organizations.gate = null;
    organizations.stored = [suspended(ACME)];
    await feed.subscriber?.changed([{ kind: 'organization', organizationId: ACME }]);
    gate.open();
    await early;
    expect(watch.isSuspended(ACME)).to.equal(true);
  });
});
