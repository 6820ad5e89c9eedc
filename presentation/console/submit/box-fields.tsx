import { useState, type ReactNode } from 'react';
import { fetchIn, useContextOfPages } from '../api/client.ts';
import { boxAround, BOX_FIELDS, boxHoldsAny, readBox, type Box } from '../pose/box.ts';
import { readPdbqt } from '../pose/pdbqt-to-pdb.ts';
import { boxIn, textOfBox, type Draft, type DraftFile } from './draft.ts';

interface BoxFieldsProps {
  readonly draft: Draft;
  readonly onChange: (box: Draft['box']) => void;
}

/** Where Vina searches. */
export const BoxFields = ({ draft, onChange }: BoxFieldsProps): ReactNode => {
  const context = useContextOfPages();
  const [said, setSaid] = useState<string | null>(null);
  const atomsOf = async ({ sha256 }: DraftFile) =>
    readPdbqt(await (await fetchIn(context, `/files/${sha256}`)).text())[0]?.atoms ?? [];
  const take = (box: Box | null, otherwise: string): void => {
    if (box === null) setSaid(otherwise);
    else {
      onChange(textOfBox(box));
      setSaid(null);
    }
  };
  const [ligand] = draft.ligands;
  const check = async (): Promise<void> => {
    const box = boxIn(draft);
    if (box === null || draft.receptor === null) setSaid('Choose a receptor and fill in the box first.');
    else {
      const atoms = await atomsOf(draft.receptor);
      setSaid(
        boxHoldsAny(box, atoms)
          ? 'The box holds atoms of the receptor.'
          : 'No atom of the receptor is in this box. Is it in the same coordinates?',
      );
    }
  };
  return (
    <>
      <div className="box-fields">
        {BOX_FIELDS.map((field) => (
          <label key={field}>
            {FIELD_NAMES[field]}
            <input
              inputMode="decimal"
              autoComplete="off"
              value={draft.box[field] ?? ''}
              onChange={({ target }) => onChange({ ...draft.box, [field]: target.value })}
            />
          </label>
        ))}
      </div>
      <div className="row">
        <label className="inline">
          <span>From a configuration of Vina</span>
          <input
            type="file"
            accept=".txt,.conf,.cfg"
            onChange={({ target }) =>
              void target.files?.[0]
                ?.text()
                .then((text) => take(readBox(text), 'That file names no whole box (center_x … size_z).'))
            }
          />
        </label>
        {ligand !== undefined && (
          <button
            type="button"
            title="Right where the ligand stands in the binding site already, as in a crystal structure"
            onClick={() =>
              void atomsOf(ligand).then((atoms) => take(boxAround(atoms), 'That file has no atoms.'))
            }
          >
            Around the first ligand, as it stands
          </button>
        )}
        <button type="button" onClick={() => void check()}>
          Is the receptor in it?
        </button>
      </div>
      <p className="faint" role="status">
        {said}
      </p>
    </>
  );
};

const FIELD_NAMES: Readonly<Record<keyof Box, string>> = {
  center_x: 'Centre x, Å',
  center_y: 'Centre y, Å',
  center_z: 'Centre z, Å',
  size_x: 'Size x, Å',
  size_y: 'Size y, Å',
  size_z: 'Size z, Å',
};
