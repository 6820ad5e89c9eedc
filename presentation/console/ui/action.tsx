import { useQueryClient } from '@tanstack/react-query';
import { useCallback, useState } from 'react';

interface Action {
  readonly busy: boolean;
  /** Null unless the last one failed. */
  readonly error: unknown;
  /** Does it, and then has all that is shown asked for again: what was done shows on other parts of the page as well. */
  readonly run: (act: () => Promise<unknown>) => void;
}

/** For what a button does without a dialog. */
export const useAction = (): Action => {
  const queries = useQueryClient();
  const [state, setState] = useState<{ readonly busy: boolean; readonly error: unknown }>({
    busy: false,
    error: null,
  });
  const run = useCallback(
    (act: () => Promise<unknown>): void => {
      const perform = async (): Promise<void> => {
        setState({ busy: true, error: null });
        try {
          await act();
          setState({ busy: false, error: null });
        } catch (error) {
          setState({ busy: false, error });
        }
        await queries.invalidateQueries();
      };
      void perform();
    },
    [queries],
  );
  return { ...state, run };
};
