import { useRouter } from '@tanstack/react-router';
import type { MouseEvent, ReactNode } from 'react';
import { CONSOLE_BASE } from '../places.ts';

interface RowLinkProps {
  /** A page of the console, with `$name` for each of `params`. */
  readonly to: string;
  readonly params: Readonly<Record<string, string>>;
  readonly children: ReactNode;
}

/**
 * A link to another page, for the rows of lists. The router's own works out on every change of the address whether it leads to
 * the page that is shown; for a hundred rows that takes longer than all else that is shown of them.
 */
export const RowLink = ({ to, params, children }: RowLinkProps): ReactNode => {
  const { history } = useRouter();
  const href =
    CONSOLE_BASE + to.replaceAll(/\$(\w+)/g, (_, name: string) => encodeURIComponent(params[name] ?? ''));
  const follow = (event: MouseEvent): void => {
    // What opens a tab or a window is the browser's to do.
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    history.push(href);
  };
  return (
    <a href={href} onClick={follow}>
      {children}
    </a>
  );
};
