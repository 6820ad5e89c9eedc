import { useEffect, useState, type ReactNode } from 'react';
import { ProblemError } from '../api/problem-error.ts';
import { CopyButton } from './copy.tsx';

const CHANGED =
  'Somebody, or the service, was faster, and nothing was done. The page shows what is there now: decide again.';

/** What a person does next, where the service's own sentence does not say it. */
const NEXT_STEPS: Readonly<Record<string, string>> = {
  unreachable: 'Is the service running? Is this machine in the right network?',
  unauthenticated: 'Log in again.',
  role_required: 'Ask an administrator of the organization for the role.',
  organization_suspended: 'An operator has suspended the organization. Ask the operators.',
  organization_not_ready: 'Its database is being made. That takes seconds: try again.',
  organization_busy: 'The organization has as much under way as it may. Try again in a moment.',
  connection_budget_exhausted: 'All connections to the database server are in use. Try again in a moment.',
  no_server_available: 'The database server does not answer. Operators see it on their page "Fleet".',
  schema_too_old: 'The database has to be migrated first. Operators do that on their page "Migrations".',
  migration_state_conflict: CHANGED,
  state_conflict: CHANGED,
  settings_changed: CHANGED,
  confirmation_required: 'Give your password again.',
  validation_failed: 'Correct the fields that are named.',
};

interface ProblemProps {
  readonly error: unknown;
  readonly retry?: (() => void) | undefined;
}

/** What went wrong, what to do about it, and what to tell whoever helps. Never a stack. */
export const Problem = ({ error, retry }: ProblemProps): ReactNode => {
  if (!(error instanceof ProblemError))
    return (
      <div className="problem" role="alert">
        <strong>This page made a mistake</strong>
        <p>{error instanceof Error ? error.message : String(error)}</p>
        {retry !== undefined && <button onClick={retry}>Try again</button>}
      </div>
    );
  const { code, title, detail, requestId, fields, retryAfterSeconds } = error.problem;
  const step = NEXT_STEPS[code];
  const facts = [`code: ${code}`, `request: ${requestId ?? 'none'}`, detail].join('\n');
  return (
    <div className="problem" role="alert">
      <strong>{title}</strong>
      <p>{detail}</p>
      {fields.length > 0 && (
        <ul>
          {fields.map(({ path, message }) => (
            <li key={path + message}>
              <code>{path}</code> {message}
            </li>
          ))}
        </ul>
      )}
      {step !== undefined && <p>{step}</p>}
      <p className="row faint">
        <code>{code}</code>
        {requestId !== null && <span>request {requestId}</span>}
        <CopyButton text={facts} what="the error" />
        {retry !== undefined && <RetryButton retry={retry} afterSeconds={retryAfterSeconds} />}
      </p>
    </div>
  );
};

interface RetryProps {
  readonly retry: () => void;
  readonly afterSeconds: number | null;
}

/** Counts down to what the service asked for, and then tries again. */
const RetryButton = ({ retry, afterSeconds }: RetryProps): ReactNode => {
  const [left, setLeft] = useState(afterSeconds);
  useEffect(() => {
    if (left === null) return;
    const timer = setTimeout(() => {
      if (left <= 1) {
        setLeft(null);
        retry();
      } else setLeft(left - 1);
    }, 1000);
    return () => clearTimeout(timer);
  }, [left, retry]);
  return (
    <button onClick={retry}>{left === null ? 'Try again' : `Try again (by itself in ${left} s)`}</button>
  );
};
