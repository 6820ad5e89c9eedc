import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { parseVinaOutput } from '../../../presentation/worker/vina-output.ts';

const fixture = new URL('../../../presentation/demo/1iep/1iep_ligand_vina_out.pdbqt', import.meta.url);

describe('the output of AutoDock Vina', () => {
  it('gives every pose of a real docking, best first', () => {
    const facts = { unbound: -0.456, atoms: 40 };
    expect(parseVinaOutput(readFileSync(fixture, 'utf8'))).to.deep.equal(
      [
        {
          affinityKcalMol: -13.234,
          rmsdLowerBound: 0,
          rmsdUpperBound: 0,
          interAndIntra: -19.105,
          intra: -0.456,
        },
        {
          affinityKcalMol: -11.293,
          rmsdLowerBound: 0.986,
          rmsdUpperBound: 1.681,
          interAndIntra: -16.369,
          intra: -0.671,
        },
        {
          affinityKcalMol: -11.281,
          rmsdLowerBound: 3.044,
          rmsdUpperBound: 12.414,
          interAndIntra: -16.352,
          intra: -0.957,
        },
        {
          affinityKcalMol: -11.146,
          rmsdLowerBound: 3.813,
          rmsdUpperBound: 12.238,
          interAndIntra: -16.162,
          intra: -0.281,
        },
      ].map((pose, index) => ({ pose: index + 1, ...pose, ...facts })),
    );
  });

  it('is read with the line ends of Windows as well', () => {
    const text = 'MODEL 7\r\nREMARK VINA RESULT:      -5.1      0.500      1.000\r\nENDMDL\r\n';
    expect(parseVinaOutput(text)).to.deep.equal([
      {
        pose: 7,
        affinityKcalMol: -5.1,
        rmsdLowerBound: 0.5,
        rmsdUpperBound: 1,
        interAndIntra: null,
        intra: null,
        unbound: null,
        atoms: 0,
      },
    ]);
  });

  const refused: readonly (readonly [string, string, RegExp])[] = [
    ['an empty file', '', /no poses/],
    ['an input file', 'ROOT\nATOM      1  N   UNL\nENDROOT\n', /no poses/],
    ['a model without a result', 'MODEL 1\nENDMDL\nMODEL 2\nREMARK VINA RESULT: -1 0 0\n', /line 1: model 1/],
    [
      'a file that was cut off',
      'MODEL 1\nREMARK VINA RESULT: -1 0 0\nENDMDL\nMODEL 2\n',
      /line 4: model 2 has no result/,
    ],
    [
      'a result outside of a model',
      'REMARK VINA RESULT: -1 0 0\n',
      /line 1: a result that belongs to no model/,
    ],
    [
      'an energy that is no number',
      'MODEL 1\nREMARK VINA RESULT: -1 0 0\nREMARK INTRA: -nan\n',
      /line 3: an energy is a number/,
    ],
    ['a result that is no number', 'MODEL 1\nREMARK VINA RESULT: nan 0 0\n', /line 2: .*three numbers/],
  ];
  for (const [what, text, message] of refused) {
    it(`refuses ${what}, naming the place`, () => {
      expect(() => parseVinaOutput(text)).to.throw(message);
    });
  }
});
