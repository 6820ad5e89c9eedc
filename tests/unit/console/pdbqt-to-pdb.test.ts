import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import { elementOf, readPdbqt, toPdb } from '../../../presentation/console/pose/pdbqt-to-pdb.ts';

const demo = new URL('../../../presentation/demo/1iep/', import.meta.url);

/** A line as Vina writes it: the type is in columns 78–79. */
const atomLine = (type: string, name = type): string =>
  `ATOM      1 ${name.padEnd(4)} UNL A   1       1.000  -2.500   3.250  1.00  0.00    -0.079 ${type}`;

const elementColumns = (pdb: string): string => pdb.slice(76, 78);

describe('A PDBQT file in the console', () => {
  const elements = {
    C: 'C',
    A: 'C',
    N: 'N',
    NA: 'N',
    NS: 'N',
    O: 'O',
    OA: 'O',
    OS: 'O',
    S: 'S',
    SA: 'S',
    H: 'H',
    HD: 'H',
    HS: 'H',
    P: 'P',
    F: 'F',
    I: 'I',
    B: 'B',
    Cl: 'CL',
    CL: 'CL',
    Br: 'BR',
    BR: 'BR',
    Fe: 'FE',
    FE: 'FE',
    Mg: 'MG',
    Mn: 'MN',
    Zn: 'ZN',
    Ca: 'CA',
    Na: 'NA',
    Cu: 'CU',
    Si: 'SI',
    Se: 'SE',
    CG0: 'C',
    CG3: 'C',
  };
  for (const [type, element] of Object.entries(elements)) {
    // `Na` alone is sodium: `NA` is a nitrogen that takes hydrogen bonds.
    it(`has ${element} where the atom type is ${type}`, () => {
      const [model] = readPdbqt(atomLine(type));

      expect(elementColumns(model?.pdb ?? '')).to.equal(element.padStart(2));
      expect(model?.atoms[0]?.element.toUpperCase()).to.equal(element);
    });
  }

  it('leaves out dummies of macrocycles and the water of hydrated docking', () => {
    expect(['G', 'G0', 'G3', 'W'].map(elementOf)).to.deep.equal([null, null, null, null]);
    expect(readPdbqt(`${atomLine('C')}\n${atomLine('G0')}\n${atomLine('W')}`)[0]?.atoms).to.have.length(1);
  });

  it('keeps one model across ROOT, ENDROOT, BRANCH and TORSDOF', () => {
    const lines = [
      'MODEL 1',
      'ROOT',
      atomLine('Fe'),
      'ENDROOT',
      'BRANCH   1   2',
      atomLine('Br'),
      'ENDBRANCH   1   2',
    ];
    const models = readPdbqt([...lines, 'TORSDOF 1', 'ENDMDL'].join('\n'));

    expect(models).to.have.length(1);
    expect(models[0]?.pdb.split('\n').map(elementColumns)).to.deep.equal(['FE', 'BR']);
    expect(toPdb(models)).to.not.match(/ROOT|BRANCH|TORSDOF|MODEL/);
  });

  it('is the same with CRLF, with blank lines and without a last line end', () => {
    const lines = ['MODEL 1', atomLine('Cl'), 'ENDMDL', 'MODEL 2', atomLine('C'), 'ENDMDL'];

    expect(readPdbqt(`\r\n${lines.join('\r\n\r\n')}\r\n`)).to.deep.equal(readPdbqt(lines.join('\n')));
  });

  it('has no atoms where coordinates or types are missing, and does not fail', () => {
    const short = atomLine('C').slice(0, 40);
    expect(readPdbqt([short, 'ATOM', atomLine(''), '\u0000', 'END'].join('\n'))).to.deep.equal([]);
    expect(readPdbqt('')).to.deep.equal([]);
  });

  it('gives four poses of forty atoms, with their affinities, for the docked imatinib', () => {
    const models = readPdbqt(readFileSync(new URL('1iep_ligand_vina_out.pdbqt', demo), 'utf8'));

    expect(models.map(({ atoms }) => atoms.length)).to.deep.equal([40, 40, 40, 40]);
    expect(models[0]?.result?.affinity).to.be.closeTo(-13.2, 0.2);
    expect(models[0]?.result).to.include({ rmsdLowerBound: 0, rmsdUpperBound: 0 });
    expect(models.map(({ result }) => result?.affinity ?? 0)).to.deep.equal(
      models.map(({ result }) => result?.affinity ?? 0).toSorted((one, other) => one - other),
    );
    expect(toPdb(models).match(/^MODEL/gm)).to.have.length(4);
  });

  it('keeps every atom of the receptor, with residues and plain elements', () => {
    const text = gunzipSync(readFileSync(new URL('1iep_receptor.pdbqt.gz', demo))).toString();
    const [model, ...others] = readPdbqt(text);

    expect(others).to.deep.equal([]);
    expect(model?.atoms).to.have.length(text.match(/^(?:ATOM|HETATM)/gm)?.length ?? -1);
    expect(new Set(model?.atoms.map(({ element }) => element))).to.deep.equal(
      new Set(['N', 'C', 'O', 'S', 'H']),
    );
    expect(
      model?.atoms.some(({ residueName, residueNumber }) => residueName === 'MET' && residueNumber === '318'),
    ).to.be.true;
  });
});
