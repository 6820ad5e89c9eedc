import { useInfiniteQuery, type InfiniteData, type UseInfiniteQueryResult } from '@tanstack/react-query';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef, type KeyboardEvent, type ReactNode } from 'react';
import { dataOf, useApi, useContextOfPages, type Schemas } from '../api/client.ts';
import { formatAffinity } from '../jobs/docking-format.ts';
import { useFallbackRefresh } from '../live.ts';
import { words } from '../format.ts';
import { Loading } from '../ui/loading.tsx';
import { Problem } from '../ui/problem.tsx';

type Ranked = Schemas['RankedJob'];

/** What is ranked, by the names of the API. */
export interface RankingFilter {
  readonly sort?: 'affinity' | 'label' | 'created_at';
  readonly order?: 'asc' | 'desc';
  readonly min_affinity?: number;
  readonly max_affinity?: number;
  readonly label_prefix?: string;
  readonly include_suspect?: true;
}

const PAGE = 200;

export const useRanking = (campaignId: string, filter: RankingFilter) => {
  const api = useApi();
  return useInfiniteQuery({
    queryKey: ['o', useContextOfPages(), 'campaign', campaignId, 'ranking', filter],
    // A cursor from the second page on.
    initialPageParam: null as string | null,
    queryFn: ({ pageParam, signal }) =>
      dataOf(
        api.GET('/campaigns/{campaign_id}/results', {
          params: {
            path: { campaign_id: campaignId },
            query: { ...filter, limit: PAGE, ...(pageParam !== null && { cursor: pageParam }) },
          },
          signal,
        }),
      ),
    getNextPageParam: ({ next_cursor: next }) => next,
    refetchInterval: useFallbackRefresh(),
  });
};

interface RankingProps {
  readonly query: UseInfiniteQueryResult<InfiniteData<Schemas['RankingPage']>>;
  readonly chosen: string | undefined;
  readonly onChoose: (jobId: string) => void;
  readonly empty: ReactNode;
}

export const Ranking = ({ query, ...rest }: RankingProps): ReactNode => {
  const { data, error, refetch } = query;
  if (data === undefined)
    return error === null ? <Loading /> : <Problem error={error} retry={() => void refetch()} />;
  const jobs = data.pages.flatMap(({ items }) => items);
  if (jobs.length === 0) return <div className="empty">{rest.empty}</div>;
  return (
    <>
      {error !== null && <Problem error={error} retry={() => void refetch()} />}
      <Rows jobs={jobs} query={query} {...rest} />
    </>
  );
};

const ROW_HEIGHT = 38.4;

/**
 * As many rows as are seen, whatever the length of the list: a browser cannot hold 100,000. How many there are is told to
 * screen readers; -1 while it is not known.
 */
const Rows = ({
  jobs,
  query: { hasNextPage, isFetchingNextPage, fetchNextPage },
  chosen,
  onChoose,
}: RankingProps & { readonly jobs: readonly Ranked[] }): ReactNode => {
  const frame = useRef<HTMLDivElement>(null);
  // The compiler of React, which this would not go with, is not used.
  // oxlint-disable-next-line react-hooks/incompatible-library
  const virtual = useVirtualizer({
    count: jobs.length,
    getScrollElement: () => frame.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 8,
  });
  const items = virtual.getVirtualItems();
  const lastShown = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (lastShown >= jobs.length - 20 && hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [lastShown, jobs.length, hasNextPage, isFetchingNextPage, fetchNextPage]);
  const at = jobs.findIndex(({ job_id: id }) => id === chosen);
  const toChosen = useRef(at);
  useEffect(() => {
    // Where the address names a job, the list begins there.
    if (toChosen.current > 0) virtual.scrollToIndex(toChosen.current, { align: 'center' });
    toChosen.current = -1;
  }, [virtual]);
  const move = (event: KeyboardEvent): void => {
    const by = STEPS[event.key];
    const next = jobs[Math.max(0, at + (by ?? 0))];
    if (by === undefined || next === undefined) return;
    event.preventDefault();
    virtual.scrollToIndex(Math.max(0, at + by));
    onChoose(next.job_id);
  };
  return (
    <div
      ref={frame}
      className="ranking"
      role="grid"
      aria-label="Ranking"
      aria-rowcount={hasNextPage ? -1 : jobs.length + 1}
      tabIndex={0}
      onKeyDown={move}
    >
      <div role="row" className="head" aria-rowindex={1}>
        <span role="columnheader" className="numeric">
          Rank
        </span>
        <span role="columnheader">Ligand</span>
        <span role="columnheader" className="numeric" title="Of the best pose, in kcal/mol">
          kcal/mol
        </span>
        <span role="columnheader" className="numeric">
          Poses
        </span>
      </div>
      <div className="body" role="rowgroup" style={{ height: virtual.getTotalSize() }}>
        {items.map(({ index, start }) => {
          const job = jobs[index];
          if (job === undefined) return null;
          return <Row key={job.job_id} job={job} start={start} isChosen={index === at} onChoose={onChoose} />;
        })}
      </div>
    </div>
  );
};

const STEPS: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowUp: -1, j: 1, k: -1 };

interface RowProps {
  readonly job: Ranked;
  readonly start: number;
  readonly isChosen: boolean;
  readonly onChoose: (jobId: string) => void;
}

const Row = ({ job, start, isChosen, onChoose }: RowProps): ReactNode => (
  <div
    role="row"
    aria-rowindex={job.rank + 1}
    aria-selected={isChosen}
    style={{ transform: `translateY(${start}px)` }}
  >
    <span role="gridcell" className="numeric">
      {job.rank}
    </span>
    <span role="gridcell" className="name">
      <button type="button" className="name" tabIndex={-1} onClick={() => onChoose(job.job_id)}>
        {job.label ?? job.ligand?.name ?? job.job_id}
      </button>
      {job.suspect.length > 0 && (
        <span className="badge warn" title={job.suspect.map(words).join(', ')}>
          ⚑ doubted
        </span>
      )}
    </span>
    <span role="gridcell" className="numeric">
      {formatAffinity(job.best_affinity_kcal_mol)}
    </span>
    <span role="gridcell" className="numeric">
      {job.pose_count}
    </span>
  </div>
);
