import { expect } from 'chai';
import {
  DATABASE_MOVES,
  DATABASE_STATES,
  holdsResults,
  isHalfMade,
  statesBefore,
} from '../../../domain/databases/results-database.ts';

describe('The states of a results database', () => {
  it('follow each other as listed, and may be written again', () => {
    const before = Object.fromEntries(DATABASE_STATES.map((state) => [state, statesBefore(state)]));
    expect(before).to.deep.equal({
      provisioning: ['provisioning', 'ready', 'failed', 'retiring'],
      ready: ['provisioning', 'ready', 'failed'],
      failed: ['provisioning', 'failed'],
      retiring: ['provisioning', 'ready', 'failed', 'retiring'],
    });
  });

  it('never lead from a database that is being put aside back to one that is served', () => {
    expect(DATABASE_MOVES.retiring).to.deep.equal(['provisioning']);
    expect(statesBefore('ready')).not.to.include('retiring');
  });

  it('never call a database failed that was ready', () => {
    expect(statesBefore('failed')).not.to.include('ready');
  });

  it('lead from each to every other', () => {
    for (const from of DATABASE_STATES) {
      const reached = new Set([from]);
      for (const state of reached) for (const next of DATABASE_MOVES[state]) reached.add(next);
      expect([...reached]).to.have.members(DATABASE_STATES);
    }
  });

  it('are half made, or hold results, or neither: never both', () => {
    expect(DATABASE_STATES.filter(isHalfMade)).to.deep.equal(['provisioning', 'failed']);
    expect(DATABASE_STATES.filter(holdsResults)).to.deep.equal(['ready']);
  });
});
