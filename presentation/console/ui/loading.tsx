import type { UseQueryResult } from '@tanstack/react-query';
import { useEffect, useState, type ReactNode } from 'react';
import { Age } from './time.tsx';
import { Problem } from './problem.tsx';

/** Nothing for a moment, then bars, then a sentence: what comes quickly does not flicker. */
export const Loading = ({ hint = 'A narrower filter helps.' }: { readonly hint?: string }): ReactNode => {
  const [shown, setShown] = useState<'nothing' | 'bars' | 'sentence'>('nothing');
  useEffect(() => {
    const timers = [setTimeout(() => setShown('bars'), 200), setTimeout(() => setShown('sentence'), 2_000)];
    return () => timers.forEach(clearTimeout);
  }, []);
  if (shown === 'nothing') return null;
  return (
    <div className="loading" aria-busy="true">
      {shown === 'sentence' && <p className="faint">Still loading. {hint}</p>}
      <div className="bar" />
      <div className="bar" />
      <div className="bar" />
    </div>
  );
};

interface LoadedProps<Data> {
  readonly query: UseQueryResult<Data>;
  readonly children: (data: Data) => ReactNode;
}

/** Shows what a query gave. When it fails later on, its last data stay, greyed, with their age. */
export const Loaded = <Data,>({ query, children }: LoadedProps<Data>): ReactNode => {
  const { data, error, isPending, dataUpdatedAt, refetch } = query;
  const retry = (): void => void refetch();
  if (data === undefined) return isPending ? <Loading /> : <Problem error={error} retry={retry} />;
  if (error === null) return children(data);
  return (
    <>
      <Problem error={error} retry={retry} />
      <p className="faint">
        What follows was so <Age at={new Date(dataUpdatedAt).toISOString()} />.
      </p>
      <div className="stale">{children(data)}</div>
    </>
  );
};
