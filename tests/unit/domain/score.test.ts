import { expect } from 'chai';
import { scoreOf, type Pose } from '../../../domain/jobs/score.ts';

const pose = (rank: number, affinity: number, energies: { intra?: number; unbound?: number } = {}): Pose => ({
  rank,
  affinity,
  rmsdLowerBound: null,
  rmsdUpperBound: null,
  reportedAffinity: null,
  intra: energies.intra ?? null,
  unbound: energies.unbound ?? null,
});

describe('A score', () => {
  it('is the lowest affinity of all poses, whatever their ranks say', () => {
    expect(scoreOf([pose(1, -7), pose(2, -7.5)], []).bestAffinity).to.equal(-7.5);
    expect(scoreOf([], [])).to.deep.equal({ bestAffinity: null, suspect: [] });
  });

  for (const [affinity, suspect] of [
    [-357.833, true],
    [-25.001, true],
    [-25, false],
    [-7, false],
    [0, false],
    [0.001, true],
    [2_252_099_169.975, true],
  ] as const)
    it(`of ${affinity} kcal/mol is ${suspect ? 'doubted' : 'believed'}`, () => {
      expect(scoreOf([pose(1, affinity)], []).suspect).to.deep.equal(suspect ? ['out_of_range'] : []);
    });

  it('is not doubted for a later pose that does not bind', () => {
    expect(scoreOf([pose(1, -7), pose(9, 3)], []).suspect).to.deep.equal([]);
  });

  for (const [what, poses, suspect] of [
    ['equal', [pose(1, -7, { intra: -1.2, unbound: -1.2 })], false],
    ['a little apart', [pose(1, -7, { intra: -1.2, unbound: -1.29 })], false],
    ['apart', [pose(1, -7, { intra: -1.2, unbound: -1.31 })], true],
    ['apart the other way', [pose(1, -7, { intra: -1.31, unbound: -1.2 })], true],
    ['apart in pose 2 alone', [pose(1, -7), pose(2, -6, { intra: -3, unbound: -1 })], false],
    [
      'apart in a pose 1 that is not the first in the list',
      [pose(2, -6), pose(1, -7, { intra: 1, unbound: 2 })],
      true,
    ],
    ['known only in part', [pose(1, -7, { intra: -3 })], false],
  ] as const)
    it(`whose inner and unbound energies are ${what} is ${suspect ? 'doubted' : 'believed'}`, () => {
      expect(scoreOf(poses, []).suspect).to.deep.equal(suspect ? ['intra_unbound_mismatch'] : []);
    });

  it('is doubted for what the worker says and for what the poses show, each reason once', () => {
    const poses = [pose(1, 3, { intra: 0, unbound: 9 })];
    expect(scoreOf(poses, ['fewer_atoms_than_input', 'out_of_range']).suspect).to.deep.equal([
      'intra_unbound_mismatch',
      'out_of_range',
      'fewer_atoms_than_input',
    ]);
  });
});
