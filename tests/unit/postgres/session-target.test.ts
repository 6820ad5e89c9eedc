import { expect } from 'chai';
import {
  SESSION_TARGETS,
  targetMismatch,
  type SessionTarget,
} from '../../../infrastructure/postgres/session-target.ts';

const server = (standby: string, readOnly: string): ReadonlyMap<string, string> =>
  new Map([
    ['in_hot_standby', standby],
    ['default_transaction_read_only', readOnly],
  ]);

const PRIMARY = server('off', 'off');
const READ_ONLY = server('off', 'on');
const STANDBY = server('on', 'off');
const SILENT = new Map([['server_version', '13.0']]);

describe('The kind of server that a connection is for', () => {
  const fits: Readonly<Record<SessionTarget, readonly boolean[]>> = {
    any: [true, true, true, true],
    'read-write': [true, false, false, false],
    'read-only': [false, true, true, false],
    primary: [true, true, false, false],
    standby: [false, false, true, false],
    'prefer-standby': [false, false, true, false],
  };
  for (const target of SESSION_TARGETS) {
    it(`${target} takes the servers that libpq takes`, () => {
      expect(
        [PRIMARY, READ_ONLY, STANDBY, SILENT].map((it) => targetMismatch(target, it) === null),
      ).to.deep.equal(fits[target]);
    });
  }

  it('says why a server is passed over', () => {
    expect(targetMismatch('read-write', STANDBY)).to.equal('it is a standby');
    expect(targetMismatch('read-write', READ_ONLY)).to.equal('it is read-only');
    expect(targetMismatch('primary', SILENT)).to.contain('PostgreSQL 14');
  });
});
