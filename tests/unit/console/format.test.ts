import { expect } from 'chai';
import { age, bytes, duration, moment } from '../../../presentation/console/format.ts';

const SECOND = 1000;
const DAY = 86_400 * SECOND;

describe("the console's texts of numbers", () => {
  it('give durations in one or two units', () => {
    const texts = [40, 4 * SECOND, 59.7 * SECOND, 250 * SECOND, 3 * DAY + 7200 * SECOND, DAY].map(duration);
    expect(texts).to.deep.equal(['40 ms', '4.0 s', '1 min', '4 min 10 s', '3 d 2 h', '1 d']);
  });

  it('give ages in one unit, and what is to come as such', () => {
    const now = 1_000 * DAY;
    const texts = [0, 6 * SECOND, 250 * SECOND, 3 * DAY, -2 * SECOND, -7200 * SECOND].map((ms) =>
      age(now - ms, now),
    );
    expect(texts).to.deep.equal(['just now', '6 s ago', '4 min ago', '3 d ago', 'now', 'in 2 h']);
  });

  it('give sizes in three digits', () => {
    expect([0, 999, 1000, 312_400_000, 9.1e12].map(bytes)).to.deep.equal([
      '0 B',
      '999 B',
      '1.0 kB',
      '312 MB',
      '9.1 TB',
    ]);
  });

  it('give moments with their zone', () => {
    const at = Date.parse('2026-11-26T06:30:12.400Z');
    expect(moment(at, 'utc')).to.equal('2026-11-26 06:30:12Z');
    const local = moment(at, 'local');
    expect(local).to.match(/^\d{4}-\d\d-\d\d \d\d:\d\d:12[+-]\d\d:\d\d$/);
    expect(Date.parse(local.replace(' ', 'T'))).to.equal(at - 400);
  });
});
