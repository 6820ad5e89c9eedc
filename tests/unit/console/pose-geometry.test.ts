import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import { boxAround, boxHoldsAny, boxOf, readBox } from '../../../presentation/console/pose/box.ts';
import { contactsOf, polarPairs, residueLabel } from '../../../presentation/console/pose/contacts.ts';
import { readPdbqt, type Atom } from '../../../presentation/console/pose/pdbqt-to-pdb.ts';

const demo = new URL('../../../presentation/demo/1iep/', import.meta.url);
const receptor =
  readPdbqt(gunzipSync(readFileSync(new URL('1iep_receptor.pdbqt.gz', demo))).toString())[0]?.atoms ?? [];
const pose = readPdbqt(readFileSync(new URL('1iep_ligand_vina_out.pdbqt', demo), 'utf8'))[0]?.atoms ?? [];
const box = readFileSync(new URL('1iep_receptor.box.txt', demo), 'utf8');

const atom = (fields: Partial<Atom>): Atom => ({
  name: 'C',
  element: 'C',
  residueName: 'ALA',
  chain: 'A',
  residueNumber: '1',
  x: 0,
  y: 0,
  z: 0,
  ...fields,
});

describe('Contacts of a pose', () => {
  it('are the residues that hold imatinib in the c-Abl kinase', () => {
    const labels = contactsOf(receptor, pose, 4).map(residueLabel);

    // The hydrogen bonds of the crystal structure: hinge, gatekeeper, helix C and the DFG motif.
    expect(labels).to.include.members(['MET 318 A', 'THR 315 A', 'GLU 286 A', 'ASP 381 A']);
  });

  it('are named once each, by their closest atoms, closest first', () => {
    const near = [
      atom({ x: 3 }),
      atom({ x: 2 }),
      atom({ residueNumber: '2', x: -1.5 }),
      atom({ residueNumber: '3', x: 5.01 }),
    ];

    expect(contactsOf(near, [atom({})], 5)).to.deep.equal([
      { residueName: 'ALA', chain: 'A', residueNumber: '2', distance: 1.5 },
      { residueName: 'ALA', chain: 'A', residueNumber: '1', distance: 2 },
    ]);
  });

  it('do not count hydrogens, and keep chains and insertion codes apart', () => {
    const near = [
      atom({ element: 'H', x: 1 }),
      atom({ chain: 'B', x: 2 }),
      atom({ residueNumber: '1A', x: 2.5 }),
    ];

    expect(contactsOf(near, [atom({}), atom({ element: 'H', x: 2 })], 5).map(residueLabel)).to.deep.equal([
      'ALA 1 B',
      'ALA 1A A',
    ]);
    expect(contactsOf(near, [], 5)).to.deep.equal([]);
  });
});

describe('Polar contacts of a pose', () => {
  it('are the hydrogen bonds of imatinib in the c-Abl kinase', () => {
    const labels = polarPairs(receptor, pose).map((pair) => residueLabel(pair.receptor));

    expect(labels).to.include.members(['MET 318 A', 'THR 315 A', 'GLU 286 A', 'ASP 381 A']);
  });

  it('are between nitrogen and oxygen alone, closest first', () => {
    const near = [
      atom({ element: 'N', x: 3 }),
      atom({ element: 'O', y: 2.5 }),
      atom({ element: 'C', x: 1 }),
      atom({ element: 'O', z: 3.51 }),
    ];
    const pairs = polarPairs(near, [atom({ element: 'O' }), atom({ x: 0.5 })]);

    expect(pairs.map(({ distance }) => distance)).to.deep.equal([2.5, 3]);
  });
});

describe('A search box', () => {
  it("is read from Vina's own file and holds the pose that was found in it", () => {
    const read = readBox(box);

    expect(read).to.deep.equal({
      center_x: 15.19,
      center_y: 53.903,
      center_z: 16.917,
      size_x: 20,
      size_y: 20,
      size_z: 20,
    });
    expect(read !== null && boxHoldsAny(read, pose)).to.be.true;
    expect(read !== null && boxHoldsAny({ ...read, center_x: 500 }, receptor)).to.be.false;
  });

  it('is none where a number is missing or is not one', () => {
    expect(readBox(box.replace(/^size_z.*$/m, ''))).to.equal(null);
    expect(boxOf({ center_x: 1, center_y: 1, center_z: 1, size_x: 1, size_y: 1, size_z: '1' })).to.equal(
      null,
    );
  });

  it('is drawn around a ligand with room on each side', () => {
    expect(boxAround([atom({ x: 1 }), atom({ x: 4, y: 2, z: -6 })])).to.deep.equal({
      center_x: 2.5,
      center_y: 1,
      center_z: -3,
      size_x: 13,
      size_y: 12,
      size_z: 16,
    });
    expect(boxAround([])).to.equal(null);
  });
});
