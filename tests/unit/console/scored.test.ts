import { expect } from 'chai';
import { readPdbqt } from '../../../presentation/console/pose/pdbqt-to-pdb.ts';
import { scored } from '../../../presentation/console/pose/scored.ts';

const FILE = [-11.125, -11.046]
  .map(
    (affinity, index) =>
      `MODEL ${index + 1}\nREMARK VINA RESULT:   ${affinity}      0.000      1.500\n` +
      'ATOM      1  C   UNL     1       1.000   2.000   3.000  1.00  0.00     0.000 C \nENDMDL\n',
  )
  .join('');
const affinitiesOf = (models: ReturnType<typeof scored>) => models.map(({ result }) => result?.affinity);

describe('The affinities of poses', () => {
  it('are those of the ranking, where a worker corrected what the engine wrote into the file', () => {
    const models = scored(readPdbqt(FILE), [{ affinity_kcal_mol: -10.784 }, { affinity_kcal_mol: -10.705 }]);
    expect(affinitiesOf(models)).to.deep.equal([-10.784, -10.705]);
    expect(models[0]?.result?.rmsdUpperBound).to.equal(1.5);
  });

  it('are those of the file, where the result does not speak of each pose', () => {
    for (const poses of [[], [{ affinity_kcal_mol: -10.784 }]])
      expect(affinitiesOf(scored(readPdbqt(FILE), poses))).to.deep.equal([-11.125, -11.046]);
  });
});
