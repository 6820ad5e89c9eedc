import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';

interface PagerProps {
  /** Of the page that is shown; undefined on the first. */
  readonly after: string | undefined;
  /** Of the next page; null on the last. */
  readonly next: string | null;
  readonly shown: number;
}

/** Next by the address, previous by the browser's history: no count of all rows is ever asked for. */
export const Pager = ({ after, next, shown }: PagerProps): ReactNode => {
  if (after === undefined && next === null) return null;
  return (
    <nav className="row spread pager" aria-label="Pages">
      <span className="faint">{next === null ? `The last ${shown}` : `${shown} shown, there are more`}</span>
      <span className="row">
        {after !== undefined && (
          <Link to="." search={(now: object) => ({ ...now, after: undefined })}>
            First page
          </Link>
        )}
        {next !== null && (
          <Link to="." search={(now: object) => ({ ...now, after: next })}>
            Next page
          </Link>
        )}
      </span>
    </nav>
  );
};
