import { expect } from 'chai';
import { callsItselfPdbqt, PdbqtReader, type PdbqtInspection } from '../../../domain/files/pdbqt.ts';
import { atom, LIGAND, RECEPTOR } from '../../support/fakes/molecules.ts';

const look = (text: string, pieceLength = text.length || 1): PdbqtInspection => {
  const reader = new PdbqtReader();
  for (let at = 0; at < text.length; at += pieceLength) reader.push(text.slice(at, at + pieceLength));
  return reader.finish();
};
const findings = (text: string): readonly string[] =>
  look(text).findings.map(({ severity, line, message }) => `${severity} ${line ?? '-'}: ${message}`);

describe('A PDBQT file', () => {
  it('is a good ligand or receptor, in pieces of any length', () => {
    for (const length of [1, 7, 80, 10_000]) {
      expect(look(LIGAND, length)).to.deep.equal({
        kind: 'ligand',
        findings: [],
        extent: { min: [1, 2, 3], max: [3.5, 3.5, 5] },
      });
      expect(look(RECEPTOR, length)).to.deep.equal({
        kind: 'receptor',
        findings: [],
        extent: { min: [0, 0, 0], max: [10, 9, 8] },
      });
    }
    expect(look(LIGAND.trimEnd()).findings).to.deep.equal([]);
  });

  it('says by what it holds what it is for', () => {
    expect(look(`MODEL 1\n${LIGAND}ENDMDL\n`)).to.deep.include({ kind: 'poses', findings: [] });
    expect(look(`BEGIN_RES THR A 315\n${LIGAND}END_RES THR A 315\n`).kind).to.equal('flexible_residues');
    expect(look('BRANCH 1 2\n').kind).to.equal('ligand');
    expect(look('').kind).to.equal('receptor');
  });

  it('is a ligand of one molecule, whose branches are closed', () => {
    expect(findings(`${LIGAND}${LIGAND}`)).to.include.members([
      'error 12: has a second ROOT: it must hold one molecule',
      'error 15: has a second ENDROOT: it must hold one molecule',
      'error 20: has a second TORSDOF: it must hold one molecule',
    ]);
    for (const tag of ['ROOT', 'ENDROOT', 'TORSDOF 1'])
      expect(findings(LIGAND.replace(`\n${tag}\n`, '\n'))).to.deep.equal([
        `error -: has no ${tag.split(' ')[0]}`,
      ]);
    expect(findings(LIGAND.replace('ENDBRANCH   2   3\n', ''))).to.deep.equal([
      'error -: BRANCH 2 3 has no ENDBRANCH',
    ]);
    expect(findings(LIGAND.replace('ENDBRANCH   2   3', 'ENDBRANCH   2   4'))).to.deep.equal([
      'error 9: ENDBRANCH does not close the BRANCH before it',
    ]);
    expect(findings(LIGAND.replace('BRANCH   2   3\n', ''))).to.deep.equal([
      'error 8: ENDBRANCH does not close the BRANCH before it',
    ]);
  });

  it('has no line in a ligand that Vina does not know; a receptor may', () => {
    for (const line of [
      'TER',
      'END',
      'CONECT 1 2',
      ' REMARK indented',
      'USER a',
      '\u00ef\u00bb\u00bfREMARK',
      '  ',
    ])
      expect(findings(LIGAND.replace('ROOT\n', `ROOT\n${line}\n`))[0]).to.match(
        /^error 3: ".*" is no line that Vina takes in a ligand$/,
      );
    for (const line of ['REMARKS', 'WARNING of a program', ''])
      expect(findings(`${line}\n${LIGAND}${line}\n`)).to.deep.equal([]);
    expect(findings(`${RECEPTOR}END\nUSER a\n`)).to.deep.equal([]);
  });

  it('has atoms that Vina can read', () => {
    const line = atom(1, [1, 2, 3], 'HD');
    expect(line).to.have.length(79);
    expect(findings(`${line.slice(0, 77)}\n`)).to.deep.equal([
      "error 1: an atom's line has 77 characters; Vina needs 78",
      'warning -: has no polar hydrogen (HD): it may lack its hydrogens',
    ]);
    expect(findings(`${line}\n${line.replace('   2.000', '   2.0x0')}\n`)).to.deep.equal([
      'error 2: columns 39 to 46 hold no number (y)',
    ]);
    for (const bad of ['nan', 'inf', '-', '', '1e5', '1 2'])
      expect(findings(line.replace('   2.000', bad.padStart(8)))).to.have.length(1);
    for (const type of ['B', 'X', 'CG4', 'c', '\u0000'])
      expect(findings(`${line}\n${atom(2, [0, 0, 0], type)}`)[0]).to.match(/^error 2: the atom type/);
    for (const type of ['CG0', 'G3', 'W', 'Cl', 'Si', 'Cu', 'NA'])
      expect(look(`${line}\n${atom(2, [0, 0, 0], type)}`).findings).to.deep.equal([]);
    expect(findings('REMARK nothing\n')).to.deep.equal(['error -: has no ATOM or HETATM line']);
  });

  it('is warned of where docking would be poor', () => {
    expect(findings(LIGAND.replaceAll('\n', '\r\n'))).to.deep.equal([
      'warning -: has lines that end with CR LF, as on Windows; workers dock a copy without CR',
    ]);
    expect(findings(LIGAND.replace('OA', 'G0'))).to.deep.equal([
      'warning 4: has macrocycle glue atoms, which Vina 1.2.3 scores wrongly',
    ]);
    const flat = ['ROOT', ...[1, 2, 3, 4].map((x) => atom(x, [x, x * x, 0], 'HD')), 'ENDROOT', 'TORSDOF 0'];
    expect(findings(flat.join('\n'))).to.deep.equal([
      'warning -: is flat: it looks like a drawing, not like a molecule in space',
    ]);
    const branches = Array.from({ length: 51 }, (_, index) => `BRANCH 1 ${index}\nENDBRANCH 1 ${index}`);
    expect(findings(LIGAND.replace('TORSDOF 1', [...branches, 'TORSDOF 51'].join('\n')))).to.deep.equal([
      'warning -: has 52 torsions: more than 50 are searched poorly',
    ]);
    expect(findings(RECEPTOR.replace('HD', 'C '))).to.deep.equal([
      'warning -: has no polar hydrogen (HD): it may lack its hydrogens',
    ]);
  });

  it('that is none is told so in few words, and in printable ones', () => {
    const noise = Array.from({ length: 500 }, () => 'ATOM \u0000\u00ff\u001b[31m').join('\n');
    expect(look(noise).findings).to.have.length(20);
    expect(look(`${'x'.repeat(10_000_000)}\n${'ATOM'.repeat(1000)}`, 65_536).findings.length).to.be.below(6);
    const escape = atom(1, [0, 0, 0]).replace(/C $/, '\u001b[');
    expect(findings(escape)[0]).to.equal('error 1: the atom type "?[" is none of Vina\'s');
  });

  it('is looked at when it calls itself so', () => {
    for (const [name, type, expected] of [
      ['a.pdbqt', 'application/octet-stream', true],
      ['A.PDBQT', 'text/plain', true],
      [null, 'chemical/x-pdbqt', true],
      ['poses', 'chemical/pdbqt; charset=utf-8', true],
      ['a.pdbqt.gz', 'application/gzip', false],
      ['a.sdf', 'chemical/x-mdl-sdfile', false],
      [null, 'application/octet-stream', false],
    ] as const)
      expect(callsItselfPdbqt(name, type), `${name} ${type}`).to.equal(expected);
  });
});
