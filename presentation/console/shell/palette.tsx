import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useCombobox } from 'downshift';
import { useState, type ReactNode } from 'react';
import { apiFor, dataOf } from '../api/client.ts';
import { labTargets } from '../lab/lab-places.ts';
import type { Context } from '../session.ts';
import { Dialog } from '../ui/dialog.tsx';
import type { Place, Target } from './navigation.ts';

interface PaletteProps {
  readonly context: Context;
  readonly places: readonly Place[];
  readonly onClose: () => void;
}

const MOST = 12;
const ORGANIZATION_START = /^[a-z0-9-]+$/i;

/** Goes to a page, or to an organization or a job by its id. */
export const Palette = ({ context, places, onClose }: PaletteProps): ReactNode => {
  const navigate = useNavigate();
  const [typed, setTyped] = useState('');
  const found = useQuery({
    queryKey: ['palette', typed],
    enabled: context === null && ORGANIZATION_START.test(typed),
    queryFn: () => dataOf(apiFor(null).GET('/organizations', { params: { query: { q: typed, limit: 8 } } })),
  });
  const targets: readonly Target[] = [
    ...(context === null ? [] : labTargets(context, typed)),
    ...places
      .filter(({ label }) => label.toLowerCase().includes(typed.toLowerCase()))
      .map(({ to, label }) => ({ to, label, kind: 'page' })),
    ...(found.data?.items ?? []).map(({ org_id: id, name }) => ({
      to: `/fleet/organizations/${encodeURIComponent(id)}`,
      label: `${id} · ${name}`,
      kind: 'organization',
    })),
  ].slice(0, MOST);
  const box = useCombobox<Target>({
    items: [...targets],
    isOpen: true,
    itemToString: (item) => item?.label ?? '',
    defaultHighlightedIndex: 0,
    // The list shows what is typed, and what is chosen is gone to: nothing is written into the field.
    inputValue: typed,
    selectedItem: null,
    onSelectedItemChange: ({ selectedItem }) => {
      onClose();
      if (selectedItem !== null) void navigate({ to: selectedItem.to });
    },
  });
  return (
    <Dialog title="Go to" onClose={onClose}>
      <div className="palette">
        <label {...box.getLabelProps()}>
          {context === null
            ? 'A page, or an organization by the beginning of its id'
            : 'A page, or a job by its id'}
        </label>
        <input
          {...box.getInputProps({
            // In the same moment: by its own notice, keys that follow quickly would be lost.
            onChange: ({ currentTarget }) => setTyped(currentTarget.value),
          })}
        />
        <ul {...box.getMenuProps()}>
          {targets.map((item, index) => (
            <li key={item.to} {...box.getItemProps({ item, index })}>
              <span>{item.label}</span>
              <span className="faint">{item.kind}</span>
            </li>
          ))}
        </ul>
        {targets.length === 0 && <p className="faint">Nothing begins with that.</p>}
      </div>
    </Dialog>
  );
};
