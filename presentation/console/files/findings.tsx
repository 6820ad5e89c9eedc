import type { ReactNode } from 'react';
import { Badge } from '../ui/badge.tsx';
import type { StoredFile } from './use-upload.ts';

/** What the service found in a file: an error keeps it from being docked. */
export const Findings = ({ of: { findings } }: { readonly of: Pick<StoredFile, 'findings'> }): ReactNode => {
  if (findings.length === 0) return <Badge state="ready">no findings</Badge>;
  return (
    <ul className="findings">
      {findings.map(({ severity, line, message }) => (
        <li key={`${line} ${message}`}>
          <Badge state={severity} tone={severity === 'error' ? 'bad' : 'warn'} />{' '}
          {line === null ? '' : `line ${line}: `}
          {message}
        </li>
      ))}
    </ul>
  );
};
