import { useEffect, useRef, useState } from 'react';
import { useContextOfPages, type Schemas } from '../api/client.ts';
import { ProblemError } from '../api/problem-error.ts';
import { sendFile } from '../api/send-file.ts';

export type StoredFile = Schemas['File'];

/** A file that was refused, and why. */
export interface Refused {
  readonly name: string;
  readonly why: string;
}

interface Uploads {
  /** How many files were chosen; 0 while nothing is under way. */
  readonly count: number;
  readonly done: number;
  /** Of the file that is on its way: how much of it is sent, from 0 to 1. */
  readonly share: number;
  readonly refused: readonly Refused[];
}

const NOTHING: Uploads = { count: 0, done: 0, share: 0, refused: [] };

/** Sends files one after another. Those that are refused do not stop the others; `cancel` does, and what is sent stays. */
export const useUpload = (onStored: (file: StoredFile) => void) => {
  const context = useContextOfPages();
  const [state, setState] = useState(NOTHING);
  const canceling = useRef(new AbortController());
  useEffect(() => () => canceling.current.abort(), []);
  const upload = async (files: readonly File[]): Promise<void> => {
    const controller = new AbortController();
    canceling.current = controller;
    const { signal } = controller;
    const onProgress = (share: number): void => setState((now) => ({ ...now, share }));
    setState({ ...NOTHING, count: files.length });
    for (const file of files) {
      try {
        onStored(await sendFile(context, file, { signal, onProgress }));
      } catch (error) {
        if (signal.aborted) break;
        const why = error instanceof ProblemError ? error.problem.detail : String(error);
        setState((now) => ({ ...now, refused: [...now.refused, { name: file.name, why }] }));
      }
      setState((now) => ({ ...now, done: now.done + 1, share: 0 }));
    }
    setState(({ refused }) => ({ ...NOTHING, refused }));
  };
  return { ...state, upload, cancel: () => canceling.current.abort() };
};
