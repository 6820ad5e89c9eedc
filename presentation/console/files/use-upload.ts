import { useState } from 'react';
import { fetchIn, useContextOfPages, type Schemas } from '../api/client.ts';
import { ProblemError } from '../api/problem-error.ts';

export type StoredFile = Schemas['File'];

/** A file that was refused, and why. */
export interface Refused {
  readonly name: string;
  readonly why: string;
}

interface Uploads {
  /** How many are left to be sent; 0 while nothing is under way. */
  readonly left: number;
  readonly refused: readonly Refused[];
}

/** Sends files one after another. Those that are refused do not stop the others. */
export const useUpload = (onStored: (file: StoredFile) => void) => {
  const context = useContextOfPages();
  const [state, setState] = useState<Uploads>({ left: 0, refused: [] });
  const upload = async (files: readonly File[]): Promise<void> => {
    setState({ left: files.length, refused: [] });
    for (const file of files) {
      let refused: Refused | null = null;
      try {
        onStored(await send(context, file));
      } catch (error) {
        refused = {
          name: file.name,
          why: error instanceof ProblemError ? error.problem.detail : String(error),
        };
      }
      const failure = refused;
      setState((now) => ({
        left: now.left - 1,
        refused: failure === null ? now.refused : [...now.refused, failure],
      }));
    }
  };
  return { ...state, upload };
};

const send = async (context: string | null, file: File): Promise<StoredFile> => {
  const name = encodeURIComponent(file.name).replaceAll(
    /['()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16)}`,
  );
  const response = await fetchIn(context, '/files', {
    method: 'POST',
    body: file,
    headers: {
      'Content-Type': file.name.endsWith('.pdbqt') ? 'chemical/x-pdbqt' : 'application/octet-stream',
      'Content-Disposition': `attachment; filename*=UTF-8''${name}`,
    },
  });
  // As the schema of the route says: one file in, one file out.
  return (await response.json()) as StoredFile;
};
