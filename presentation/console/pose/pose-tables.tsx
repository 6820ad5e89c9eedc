import { useMemo, type ReactNode } from 'react';
import { formatAffinity, formatDistance } from '../jobs/docking-format.ts';
import { Table, type Column } from '../ui/table.tsx';
import { contactsOf, polarPairs, residueLabel } from './contacts.ts';
import type { Model } from './pdbqt-to-pdb.ts';

interface PoseTableProps {
  readonly poses: readonly Model[];
  readonly chosen: number;
  readonly onChoose: (index: number) => void;
}

interface Row {
  readonly index: number;
  readonly result: Model['result'];
  readonly isChosen: boolean;
  readonly onChoose: (index: number) => void;
}

/** The poses in numbers: what the drawing shows, for who does not see it. */
export const PoseTable = ({ poses, chosen, onChoose }: PoseTableProps): ReactNode => (
  <Table
    label="Poses"
    columns={COLUMNS}
    rows={poses.map(({ result }, index) => ({ index, result, isChosen: index === chosen, onChoose }))}
    rowKey={({ index }) => String(index)}
    empty="No poses."
  />
);

const COLUMNS: readonly Column<Row>[] = [
  {
    head: 'Pose',
    width: '7rem',
    cell: ({ index, isChosen, onChoose }) => (
      <button className="plain" aria-pressed={isChosen} onClick={() => onChoose(index)}>
        {isChosen ? `● ${index + 1}` : `○ ${index + 1}`}
      </button>
    ),
  },
  {
    head: 'Affinity, kcal/mol',
    numeric: true,
    cell: ({ result }) => (result === null ? '' : formatAffinity(result.affinity)),
  },
  {
    head: 'RMSD to the best, at least, Å',
    numeric: true,
    cell: ({ result }) => result?.rmsdLowerBound ?? '',
  },
  { head: 'at most, Å', numeric: true, cell: ({ result }) => result?.rmsdUpperBound ?? '' },
];

const CLOSE = 4;

/** The residues that a pose touches. */
export const ContactList = ({
  receptor,
  pose,
}: {
  readonly receptor: Model;
  readonly pose: Model;
}): ReactNode => {
  const contacts = useMemo(() => contactsOf(receptor.atoms, pose.atoms, CLOSE), [receptor, pose]);
  const polar = useMemo(
    () => new Set(polarPairs(receptor.atoms, pose.atoms).map((pair) => residueLabel(pair.receptor))),
    [receptor, pose],
  );
  return (
    <div>
      <h3>Residues within {CLOSE} Å</h3>
      {contacts.length === 0 ? (
        <p className="faint">None: this pose touches nothing.</p>
      ) : (
        <ul className="contacts">
          {contacts.map((contact) => {
            const label = residueLabel(contact);
            return (
              <li key={label}>
                {label} <span className="faint">{formatDistance(contact.distance)}</span>
                {polar.has(label) && <span className="badge">polar</span>}
              </li>
            );
          })}
        </ul>
      )}
    </div>
  );
};
