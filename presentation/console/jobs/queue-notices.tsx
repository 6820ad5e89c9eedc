import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { dataOf, useApi, useContextOfPages, type Schemas } from '../api/client.ts';
import { number } from '../format.ts';
import { useFallbackRefresh } from '../live.ts';
import { Moment } from '../ui/time.tsx';

type Engine = Schemas['EngineQueue'];

const useQueue = () => {
  const api = useApi();
  return useQuery({
    queryKey: ['o', useContextOfPages(), 'queue'],
    queryFn: () => dataOf(api.GET('/queue', {})),
    refetchInterval: useFallbackRefresh(),
  });
};

/** Why jobs wait, engine by engine; nothing where none does. */
export const QueueNotices = ({ engine }: { readonly engine?: string }): ReactNode => {
  const { data } = useQueue();
  const waiting = (data?.by_engine ?? []).filter(
    (each) => each.waits_for !== null && (engine === undefined || each.engine === engine),
  );
  return waiting.map((each) => (
    <p key={each.engine} className={each.waits_for === 'worker' ? 'notice' : 'faint'}>
      <strong>{isOne(each) ? 'One job waits' : `${number(each.waiting)} jobs wait`}</strong> for {each.engine}
      . <Reason of={each.reason} /> {NEXT[each.waits_for ?? ''] ?? ''}
    </p>
  ));
};

const isOne = ({ waiting }: Engine): boolean => waiting === 1;

/** Moments in it are shown as everywhere else. */
const Reason = ({ of: reason }: { readonly of: string | null }): ReactNode =>
  (reason ?? '')
    .split(/(\d{4}-\d\d-\d\dT[\d:.]+Z)/)
    .map((part, index) => (index % 2 === 0 ? part : <Moment key={part} at={part} />));

/** What helps. */
const NEXT: Readonly<Record<string, string>> = {
  worker: 'Ask whoever runs the workers to start one: jobs wait, and are not lost.',
  running_limit: 'An administrator can change that in the settings.',
};
