import { expect } from 'chai';
import { DeniedAccessWindows } from '../../../application/audit/denied-access-windows.ts';
import {
  recordDeniedAccess,
  summarizeDeniedAccess,
} from '../../../application/audit/record-denied-access.ts';
import type { Role } from '../../../domain/identity/role.ts';
import { FakeMetadata } from '../../support/fakes/fake-metadata.ts';
import { organization } from '../../support/fakes/fake-service.ts';
import { FakeLogger } from '../../support/fakes/fake-logger.ts';

const START = Date.UTC(2026, 0, 1);
const MINUTE_MS = 60_000;

const setUp = () => {
  const metadata = new FakeMetadata();
  const clock = { now: START };
  const errors: string[] = [];
  const logger = new FakeLogger(({ message }) => void errors.push(message));
  const ports = { metadata, logger, now: () => clock.now, windows: new DeniedAccessWindows() };
  const record = recordDeniedAccess(ports);
  const summarize = summarizeDeniedAccess(ports);
  const refuse = (userId: string, organizationId: string | null = 'acme', asked = 'beta') =>
    record(
      {
        principal: {
          userId,
          organizationId: organizationId === null ? null : organization(organizationId),
          roles: new Set<Role>(['member']),
        },
        requestId: 'request',
        address: null,
      },
      { asked, source: 'path', route: '/organizations/{org_id}/jobs' },
    );
  const actions = () => metadata.trail.map(({ action }) => action);
  return { metadata, clock, errors, summarize, refuse, actions };
};

describe('a denied access', () => {
  it('writes thirty refusals of a caller within a minute down, and counts the others into one entry', async () => {
    const { metadata, clock, refuse, summarize, actions } = setUp();
    for (let n = 0; n < 1000; n += 1) await refuse('eve', 'acme', n === 999 ? 'gamma' : 'beta');
    expect(actions()).to.deep.equal(Array.from({ length: 30 }, () => 'organization.access_denied'));
    await summarize({ all: false });
    expect(metadata.trail).to.have.length(30);

    clock.now += MINUTE_MS;
    await summarize({ all: false });
    expect(metadata.trail).to.have.length(31);
    expect(metadata.trail.at(-1)).to.deep.include({
      organizationId: 'acme',
      userId: 'eve',
      action: 'organization.access_denied_repeatedly',
      entityType: 'organization',
      entityId: 'gamma',
      details: {
        refusals_not_listed: 970,
        since: '2026-01-01T00:00:00.000Z',
        until: '2026-01-01T00:01:00.000Z',
        last_route: '/organizations/{org_id}/jobs',
      },
    });
    await summarize({ all: true });
    expect(metadata.trail).to.have.length(31);
  });

  it('counts every caller alone, and anew each minute', async () => {
    const { clock, refuse, metadata } = setUp();
    for (let n = 0; n < 30; n += 1) await refuse('eve');
    await refuse('eve', 'gamma');
    await refuse('mallory');
    expect(metadata.trail).to.have.length(32);
    clock.now += MINUTE_MS;
    await refuse('eve');
    expect(metadata.trail).to.have.length(33);
  });

  it('writes the sum of a minute down with the next refusal, whoever is refused', async () => {
    const { clock, refuse, actions } = setUp();
    for (let n = 0; n < 31; n += 1) await refuse('eve');
    clock.now += MINUTE_MS;
    await refuse('mallory');
    expect(actions().slice(30)).to.deep.equal([
      'organization.access_denied_repeatedly',
      'organization.access_denied',
    ]);
  });

  it('loses no count at the end of the process', async () => {
    const { refuse, summarize, metadata } = setUp();
    for (let n = 0; n < 35; n += 1) await refuse('eve');
    await summarize({ all: true });
    expect(metadata.trail.at(-1)?.details).to.include({ refusals_not_listed: 5 });
  });

  it('counts ten thousand callers at once, and no more', async () => {
    const { refuse, metadata } = setUp();
    for (let n = 0; n < 31; n += 1) await refuse('first');
    for (let n = 0; n < 10_001; n += 1) await refuse(`caller-${n}`);
    const sums = metadata.trail.filter(({ action }) => action.endsWith('repeatedly'));
    expect(sums.map(({ userId }) => userId)).to.deep.equal(['first']);
  });

  it('puts the refusals of who has no organization into the trail of the platform', async () => {
    const { refuse, metadata } = setUp();
    await refuse('root', null);
    expect(metadata.trail[0]).to.include({ organizationId: null, userId: 'root', entityId: 'beta' });
  });

  it('lets the refusal stand when the trail cannot be written, and says so', async () => {
    const { refuse, metadata, summarize, errors } = setUp();
    metadata.isTrailAway = true;
    for (let n = 0; n < 31; n += 1) await refuse('eve');
    await summarize({ all: true });
    expect(errors).to.have.length(31);
    expect(new Set(errors)).to.deep.equal(new Set(['a refused access could not be audited']));
  });
});
