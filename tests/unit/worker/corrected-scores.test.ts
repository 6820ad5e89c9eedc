import { expect } from 'chai';
import { correctScores } from '../../../presentation/worker/corrected-scores.ts';
import { hasGlueAtoms, parseVinaOutput, type VinaPose } from '../../../presentation/worker/vina-output.ts';

type Energies = readonly [affinity: number, interAndIntra: number, intra: number, unbound: number];

const posesOf = (...energies: readonly Energies[]): readonly VinaPose[] =>
  parseVinaOutput(
    energies
      .map(
        ([affinity, total, intra, unbound], index) =>
          `MODEL ${index + 1}\nREMARK VINA RESULT: ${affinity} 0.000 0.000\nREMARK INTER + INTRA: ${total}\n` +
          `REMARK INTRA: ${intra}\nREMARK UNBOUND: ${unbound}\nENDMDL\n`,
      )
      .join(''),
  );
const affinitiesOf = (poses: readonly VinaPose[]): readonly number[] =>
  poses.map(({ affinityKcalMol }) => affinityKcalMol);

describe('the scores of Vina 1.2.3', () => {
  // From runs of Debian's Vina on 1IEP, of different seeds. Releases from 1.2.4 on say -13.2 of all three.
  const SAME_POSE: readonly (readonly [Energies, number])[] = [
    [[-14.031, -19.17, -0.437, 0.602], -13.294],
    [[-14.147, -19.127, -0.395, 0.808], -13.293],
    [[-16.014, -19.091, -0.443, 3.476], -13.233],
  ];
  for (const [energies, affinity] of SAME_POSE) {
    it(`count the unbound energy of the best pose: ${energies[0]} becomes ${affinity}`, () => {
      const { poses, correction } = correctScores(posesOf(energies), { hasGlue: false });
      expect(affinitiesOf(poses)).to.deep.equal([affinity]);
      expect(poses[0]).to.include({ intra: energies[2], unbound: energies[2] });
      expect(correction).to.deep.equal({
        reason: 'unbound_energy_of_worst_pose',
        reportedUnbound: energies[3],
        reportedAffinity: energies[0],
      });
    });
  }

  it('are corrected by the same amount for all poses', () => {
    const poses = posesOf(
      [-11.788, -16.011, -0.884, 0.602],
      [-9.7, -13.067, -0.821, 0.602],
      [1.182, 2.267, 0.602, 0.602],
    );
    expect(affinitiesOf(correctScores(poses, { hasGlue: false }).poses)).to.deep.equal([
      -10.734, -8.645, 2.236,
    ]);
  });

  const LEFT: readonly (readonly [string, readonly Energies[], boolean])[] = [
    ['right already', [[-13.234, -19.105, -0.456, -0.456]], false],
    ['of a macrocycle with glue atoms', [[-17.786, -10.788, -0.068, 17.397]], true],
    [
      'explained by no common scale',
      [
        [-11.788, -16.011, -0.884, 0.602],
        [-9.9, -13.067, -0.821, 0.602],
      ],
      false,
    ],
    ['too small to tell the scale', [[-0.5, -0.4, -0.2, 0.3]], false],
    ['better than their energies', [[-20, -16, -0.884, 0.602]], false],
  ];
  for (const [what, energies, hasGlue] of LEFT) {
    it(`are left as they are when they are ${what}`, () => {
      const poses = posesOf(...energies);
      expect(correctScores(poses, { hasGlue })).to.deep.equal({ poses, correction: null });
    });
  }
});

describe('glue atoms', () => {
  const atom = (type: string): string =>
    `ROOT\nATOM      1  C   UNL     1      16.714  51.912  14.876  1.00  0.00    -0.322 ${type}\nENDROOT\n`;

  it('are told from carbons and from atoms of other types', () => {
    for (const type of ['CG0', 'G0', 'CG3', 'G1 ']) expect(hasGlueAtoms(atom(type)), type).to.equal(true);
    for (const type of ['C ', 'Mg', 'OA', 'W']) expect(hasGlueAtoms(atom(type)), type).to.equal(false);
  });
});
