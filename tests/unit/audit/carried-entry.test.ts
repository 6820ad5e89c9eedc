import { expect } from 'chai';
import { readCarriedEntries } from '../../../domain/audit/carried-entry.ts';

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
const MINUTE_MS = 60_000;
const uuid = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

const row = (changes: object = {}): object => ({
  audit_id: uuid(1),
  user_id: 'user-1',
  action: 'job.moved',
  entity_type: 'job',
  entity_id: uuid(7),
  details: { before: 'PENDING', after: 'RUNNING' },
  request_id: 'request-1',
  address: '::1',
  ts: '2026-01-02T03:04:00.123+00:00',
  ...changes,
});

describe('What an outbox gives', () => {
  it('is carried as it was written', () => {
    expect(readCarriedEntries([row()], NOW)).to.deep.equal([
      {
        auditId: uuid(1),
        userId: 'user-1',
        action: 'job.moved',
        entityType: 'job',
        entityId: uuid(7),
        details: { before: 'PENDING', after: 'RUNNING' },
        requestId: 'request-1',
        address: '::1',
        at: new Date('2026-01-02T03:04:00.123Z'),
      },
    ]);
  });

  for (const ts of [
    'infinity',
    '-infinity',
    '0044-03-15 BC',
    '1969-12-31T23:59:59.999+00:00',
    new Date(NOW + 6 * MINUTE_MS).toISOString(),
    '12000-01-01T00:00:00+00:00',
    '',
    null,
    7,
    undefined,
  ]) {
    it(`happened now when it says ${JSON.stringify(ts)}`, () => {
      expect(readCarriedEntries([row({ ts })], NOW)[0]?.at).to.deep.equal(new Date(NOW));
    });
  }

  it('may come from a clock that is a little ahead', () => {
    const ts = new Date(NOW + 4 * MINUTE_MS).toISOString();
    expect(readCarriedEntries([row({ ts })], NOW)[0]?.at).to.deep.equal(new Date(ts));
  });

  it('has texts that are short and printable', () => {
    const [entry] = readCarriedEntries(
      [row({ action: 'a'.repeat(1000), entity_id: '\u001b[2J\u202e', user_id: `${'a'.repeat(254)}😀` })],
      NOW,
    );
    expect(entry?.action).to.equal('a'.repeat(255));
    expect(entry?.entityId).to.equal('\ufffd[2J\ufffd');
    expect(entry?.userId).to.equal(`${'a'.repeat(254)}\ufffd`);
  });

  it('is carried whatever its other columns hold', () => {
    const [entry] = readCarriedEntries([{ audit_id: uuid(1), details: [], action: {}, user_id: 7 }], NOW);
    expect(entry).to.deep.include({
      action: 'unknown',
      entityType: 'unknown',
      entityId: 'unknown',
      userId: null,
    });
    expect(entry?.details).to.deep.equal({ unreadable: true });
  });

  it('is left out when it has no id of its own', () => {
    const rows = [
      row(),
      row({ action: 'second' }),
      row({ audit_id: 'x' }),
      row({ audit_id: null }),
      null,
      7,
      [],
    ];
    expect(readCarriedEntries(rows, NOW).map(({ action }) => action)).to.deep.equal(['job.moved']);
  });
});
