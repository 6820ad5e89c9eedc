import { expect } from 'chai';
import type { MetadataDatabase } from '../../application/ports/databases/metadata-database.ts';
import { EVENT_TYPES, type EventType } from '../../domain/events/job-event.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { organizationId } from '../support/deployment.ts';
import { METADATA, type MetadataSubject, type Subject } from './subjects.ts';

const [ACME, BETA] = [organizationId('acme'), organizationId('beta')];
const JOB_ID = '00000000-0000-4000-8000-00000000000a';

const tellsEvents = (subject: Subject<MetadataSubject>): void => {
  let metadata: MetadataDatabase;

  before(() => subject.open());
  after(() => subject.close());
  beforeEach(async () => {
    ({ metadata } = await subject.empty());
  });

  const happen = async (
    action: string,
    details: Readonly<Record<string, unknown>> = {},
    organization: OrganizationId | null = ACME,
  ): Promise<void> => {
    await metadata.auditLog.append({
      organizationId: organization,
      userId: 'user-1',
      action,
      entityType: 'job',
      entityId: JOB_ID,
      details,
      requestId: null,
    });
  };
  const all = (after = 0, types: readonly EventType[] = EVENT_TYPES, limit = 10) =>
    metadata.events.list(ACME, { after, types, limit });

  it('are the entries of its types, of one organization, in the order of the trail', async () => {
    await happen('job.submitted', { engine: 'vina' });
    await happen('member.removed');
    await happen('job.submitted', {}, BETA);
    await happen('job.submitted', {}, null);
    await happen('job.claimed');
    await happen('job.completed', { attempt: 2, campaign_id: JOB_ID, 'a $1 key?': '?' });
    const events = await all();
    expect(events.map(({ type }) => type)).to.deep.equal(['job.submitted', 'job.claimed', 'job.completed']);
    const positions = events.map(({ position }) => position);
    expect(positions).to.deep.equal(positions.toSorted((one, other) => one - other));
    expect(events[0]).to.include({ jobId: JOB_ID, engine: 'vina', status: 'PENDING', campaignId: null });
    expect(events[2]).to.include({ status: 'COMPLETED', attempt: 2, campaignId: JOB_ID });
    expect(events[0]?.at).to.be.instanceOf(Date);
    expect(events[0]?.eventId).to.be.a('string');
  });

  it('are read on from any of them, as many as are asked for, of the types that are asked for', async () => {
    for (const action of ['job.submitted', 'job.claimed', 'job.submitted', 'job.failed', 'job.submitted'])
      await happen(action);
    const seen: string[] = [];
    let after = 0;
    for (;;) {
      const page = await all(after, ['job.submitted', 'job.failed'], 2);
      seen.push(...page.map(({ type }) => type));
      after = page.at(-1)?.position ?? after;
      if (page.length < 2) break;
    }
    expect(seen).to.deep.equal(['job.submitted', 'job.submitted', 'job.failed', 'job.submitted']);
    expect(await all(after)).to.deep.equal([]);
    expect(await all(Number.MAX_SAFE_INTEGER)).to.deep.equal([]);
    expect((await all(0, ['job.failed'], 1)).map(({ type }) => type)).to.deep.equal(['job.failed']);
    expect(await all(0, ['job.canceled'])).to.deep.equal([]);
  });

  it('have as their latest position that of any entry, and 0 without one', async () => {
    expect(await metadata.events.latestPosition(ACME)).to.equal(0);
    await happen('job.submitted');
    const [event] = await all();
    expect(await metadata.events.latestPosition(ACME)).to.equal(event?.position);
    await happen('member.removed');
    await happen('job.submitted', {}, BETA);
    expect(await metadata.events.latestPosition(ACME)).to.be.above(event?.position ?? Infinity);
  });

  it('are news to those who know the trail up to a position, many organizations at once', async () => {
    await happen('job.submitted');
    await happen('job.submitted', {}, BETA);
    const heads = new Map<OrganizationId, number>();
    for (const id of [ACME, BETA]) heads.set(id, await metadata.events.latestPosition(id));
    expect(await metadata.events.listNews(heads, 3)).to.deep.equal([]);
    expect(await metadata.events.listNews(new Map(), 3)).to.deep.equal([]);

    for (const action of ['member.removed', 'job.claimed']) await happen(action);
    const [news, ...others] = await metadata.events.listNews(heads, 3);
    expect(others).to.deep.equal([]);
    expect(news).to.include({ organizationId: ACME, isCut: false });
    expect(news?.events.map(({ type }) => type)).to.deep.equal(['job.claimed']);
    expect(news?.head).to.equal(await metadata.events.latestPosition(ACME));

    // What is no event moves the head all the same: it is not read again.
    const [first] = await metadata.events.listNews(heads, 1);
    expect(first).to.deep.include({ events: [], isCut: true });
    expect(first?.head)
      .to.be.above(heads.get(ACME) ?? Infinity)
      .and.below(news?.head ?? 0);
  });
};

for (const subject of METADATA) {
  describe(`the events ${subject.name}`, function () {
    this.timeout(60_000);
    tellsEvents(subject);
  });
}
