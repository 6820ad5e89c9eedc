import { useQueryClient } from '@tanstack/react-query';
import { useId, useLayoutEffect, useRef, useState, type FormEvent, type ReactNode } from 'react';
import { useContextOfPages } from '../api/client.ts';
import { isConflict } from '../api/problem-error.ts';
import { confirmPassword, usePerson } from '../session.ts';
import { Problem } from './problem.tsx';

interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

/** A dialog of the browser: it keeps the focus, Esc closes it, and the focus returns to what opened it. */
export const Dialog = ({ title, onClose, children }: DialogProps): ReactNode => {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useLayoutEffect(() => {
    const opener = document.activeElement;
    const shown = dialog.current;
    shown?.showModal();
    // The browser would take the button that closes it.
    shown?.querySelector<HTMLElement>('input, select, textarea')?.focus();
    return () => {
      shown?.close();
      if (opener instanceof HTMLElement) opener.focus();
    };
  }, []);
  return (
    <dialog ref={dialog} aria-labelledby={titleId} onCancel={onClose} onClose={onClose}>
      <header className="row spread">
        <h2 id={titleId}>{title}</h2>
        <button type="button" className="plain" aria-label="Close" onClick={onClose}>
          ×
        </button>
      </header>
      {children}
    </dialog>
  );
};

/** What goes with the request. Empty where nothing was asked for. */
export interface Said {
  readonly headers: { readonly 'Audit-Reason'?: string };
}

interface ActionDialogProps {
  readonly title: string;
  /** On the button. */
  readonly act: string;
  /** What will happen, with fresh numbers. */
  readonly children: ReactNode;
  /** Sends `headers` with its request: they say why. */
  readonly perform: (said: Said) => Promise<unknown>;
  readonly onClose: () => void;
  /** What has to be typed, for what cannot simply be undone; then a reason and the password are asked for as well. */
  readonly type?: string;
  readonly disabled?: boolean;
}

/** Asks before something is done. Failures are shown in it, and it stays open. */
export const ActionDialog = (props: ActionDialogProps): ReactNode => {
  const { title, act, children, perform, onClose, type, disabled = false } = props;
  const person = usePerson();
  const context = useContextOfPages();
  const [typed, setTyped] = useState('');
  const [reason, setReason] = useState('');
  const [password, setPassword] = useState('');
  const queries = useQueryClient();
  const [state, setState] = useState<{ readonly busy: boolean; readonly error: unknown }>(IDLE);
  const isDanger = type !== undefined;
  // Who came by the link of the start has no password.
  const wantsPassword = isDanger && !person.byStartLink;
  const isSaid = !isDanger || (typed === type && reason.trim() !== '');
  const isReady = !disabled && isSaid && (!wantsPassword || password !== '');
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (!isReady || state.busy) return;
    setState({ busy: true, error: null });
    try {
      if (wantsPassword) await confirmPassword(context, password);
      await perform({ headers: isDanger ? { 'Audit-Reason': encodeURIComponent(reason.trim()) } : {} });
      onClose();
    } catch (error) {
      if (isConflict(error)) {
        // What was confirmed was another state. The dialog shows the one of now, to be decided on anew.
        await queries.invalidateQueries();
        setTyped('');
        setPassword('');
      }
      setState({ busy: false, error });
    }
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <form className="stack" onSubmit={(event) => void submit(event)}>
        {children}
        {isDanger && (
          <>
            <label>
              Why? The audit trail keeps it
              <input
                value={reason}
                maxLength={MAX_REASON}
                autoComplete="off"
                onChange={(event) => setReason(event.target.value)}
              />
            </label>
            <label>
              <span>
                Type <code>{type}</code>
              </span>
              <input value={typed} autoComplete="off" onChange={(event) => setTyped(event.target.value)} />
            </label>
          </>
        )}
        {wantsPassword && (
          <label>
            Your password
            <input
              type="password"
              value={password}
              autoComplete="current-password"
              onChange={(event) => setPassword(event.target.value)}
            />
          </label>
        )}
        {state.error !== null && <Problem error={state.error} />}
        <div className="row end">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button className={isDanger ? 'danger' : 'primary'} disabled={!isReady || state.busy}>
            {act}
          </button>
        </div>
      </form>
    </Dialog>
  );
};

const IDLE = { busy: false, error: null };
const MAX_REASON = 500;
