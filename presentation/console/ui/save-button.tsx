import { useState, type ReactNode } from 'react';
import { useContextOfPages } from '../api/client.ts';
import { saveFrom } from './save.ts';
import { toast } from './toast.tsx';

interface SaveButtonProps {
  /** Of the API. */
  readonly path: string;
  /** Of the file. */
  readonly name: string;
  readonly children: ReactNode;
}

/** Downloads what the API answers under `path`. */
export const SaveButton = ({ path, name, children }: SaveButtonProps): ReactNode => {
  const context = useContextOfPages();
  const [busy, setBusy] = useState(false);
  const download = async (): Promise<void> => {
    setBusy(true);
    try {
      await saveFrom(context, path, name);
    } catch (error) {
      toast(`${name} was not downloaded: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      setBusy(false);
    }
  };
  return (
    <button type="button" disabled={busy} onClick={() => void download()}>
      {busy ? 'Downloading…' : children}
    </button>
  );
};
