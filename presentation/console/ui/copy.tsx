import type { ReactNode } from 'react';
import { toast } from './toast.tsx';

/** By the clipboard's API, which plain http does not have, or else by a selection. */
const copy = async (text: string): Promise<void> => {
  // Undefined in pages that came by plain http, whatever its type says.
  const clipboard = navigator.clipboard as Clipboard | undefined;
  if (clipboard !== undefined) return clipboard.writeText(text);
  const field = document.createElement('textarea');
  field.value = text;
  document.body.append(field);
  field.select();
  // There is no other way without https.
  // oxlint-disable-next-line typescript/no-deprecated
  document.execCommand('copy');
  field.remove();
};

interface CopyProps {
  readonly text: string;
  /** Of what it is: `the id`. */
  readonly what: string;
}

export const CopyButton = ({ text, what }: CopyProps): ReactNode => (
  <button
    type="button"
    className="small"
    onClick={() => void copy(text).then(() => toast(`Copied ${what}.`))}
  >
    Copy {what}
  </button>
);
