import { useEffect, type ReactNode } from 'react';
import { Store, useStore } from '../store.ts';

interface Toast {
  readonly id: number;
  readonly text: string;
  readonly undo: (() => void) | null;
}

const toasts = new Store<readonly Toast[]>([]);
let made = 0;

/** Says at the edge of the page what was done; with `undo`, offers to take it back. */
export const toast = (text: string, undo: (() => void) | null = null): void => {
  made += 1;
  toasts.set([...toasts.value.slice(-2), { id: made, text, undo }]);
};

const dismiss = (id: number): void => toasts.set(toasts.value.filter((each) => each.id !== id));

/** Long enough to read it, and to reach its button. */
const SHOWN_MS = 8_000;

export const Toasts = (): ReactNode => (
  <div className="toasts" role="status">
    {useStore(toasts).map((each) => (
      <ToastLine key={each.id} {...each} />
    ))}
  </div>
);

const ToastLine = ({ id, text, undo }: Toast): ReactNode => {
  useEffect(() => {
    const timer = setTimeout(() => dismiss(id), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [id]);
  return (
    <div className="toast">
      <span>{text}</span>
      {undo !== null && (
        <button
          onClick={() => {
            undo();
            dismiss(id);
          }}
        >
          Undo
        </button>
      )}
      <button className="plain" aria-label="Dismiss" onClick={() => dismiss(id)}>
        ×
      </button>
    </div>
  );
};
