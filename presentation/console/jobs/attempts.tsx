import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { dataOf, useApi, useContextOfPages, type Schemas } from '../api/client.ts';
import { duration, words } from '../format.ts';
import { useFallbackRefresh } from '../live.ts';
import { Badge } from '../ui/badge.tsx';
import { Loaded } from '../ui/loading.tsx';
import { Table, type Column } from '../ui/table.tsx';
import { Moment } from '../ui/time.tsx';

export type Attempt = Schemas['Attempt'];

export const useAttempts = (jobId: string) => {
  const api = useApi();
  return useQuery({
    queryKey: ['o', useContextOfPages(), 'job', jobId, 'attempts'],
    queryFn: () =>
      dataOf(
        api.GET('/jobs/{job_id}/attempts', {
          params: { path: { job_id: jobId }, query: { limit: 200 } },
        }),
      ),
    refetchInterval: useFallbackRefresh(),
  });
};

export const Attempts = ({ jobId }: { readonly jobId: string }): ReactNode => (
  <Loaded query={useAttempts(jobId)}>
    {({ items }) => (
      <Table
        label="Attempts"
        columns={COLUMNS}
        rows={items}
        rowKey={({ attempt, started_at: at }) => `${attempt} ${at}`}
        empty={<p>No worker has taken this job under a lease.</p>}
      />
    )}
  </Loaded>
);

const TONES = {
  COMPLETED: 'good',
  FAILED: 'bad',
  LOST: 'bad',
  RELEASED: 'quiet',
  CANCELED: 'quiet',
} as const;

const COLUMNS: readonly Column<Attempt>[] = [
  { head: 'Attempt', numeric: true, width: '6rem', cell: ({ attempt }) => attempt },
  {
    head: 'Outcome',
    width: '9rem',
    cell: ({ outcome }) =>
      outcome === null ? (
        <Badge state="RUNNING" />
      ) : (
        <Badge state={outcome} tone={TONES[outcome]}>
          {outcome === 'LOST' ? 'worker fell silent' : outcome.toLowerCase()}
        </Badge>
      ),
  },
  {
    head: 'Worker',
    cell: ({ worker }) => [worker.name, worker.version].filter((part) => part !== null).join(' '),
  },
  { head: 'Begun', width: '13rem', cell: ({ started_at: at }) => <Moment at={at} /> },
  {
    head: 'Took',
    width: '8rem',
    cell: ({ started_at: from, ended_at: to }) =>
      to === null ? '' : duration(Math.max(0, Date.parse(to) - Date.parse(from))),
  },
  {
    head: 'Why',
    cell: ({ error, release_reason: reason }) =>
      error === null ? (reason === null ? '' : words(reason)) : `${error.code}: ${error.message}`,
  },
];
