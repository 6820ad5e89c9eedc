import type { ReactNode } from 'react';
import { Dialog } from '../ui/dialog.tsx';
import type { Place } from './navigation.ts';

interface HelpProps {
  readonly places: readonly Place[];
  readonly onClose: () => void;
}

export const Help = ({ places, onClose }: HelpProps): ReactNode => {
  const keys = [
    ['Ctrl K', 'go to a page, an organization or a job'],
    ['/', 'to the filter of the page'],
    ['j, k, Enter', 'down and up in a table, and into its row'],
    ['?', 'these keys'],
    ['Esc', 'close what is open'],
    ...places.flatMap(({ letter, label }) => (letter === undefined ? [] : [[`g ${letter}`, label]])),
  ];
  return (
    <Dialog title="Keys" onClose={onClose}>
      <table>
        <tbody>
          {keys.map(([key, meaning]) => (
            <tr key={key}>
              <th scope="row">
                <kbd>{key}</kbd>
              </th>
              <td>{meaning}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Dialog>
  );
};
