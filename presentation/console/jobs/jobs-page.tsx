import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useCallback, useMemo, type ReactNode } from 'react';
import { dataOf, useApi, useContextOfPages, type Schemas } from '../api/client.ts';
import { useFallbackRefresh } from '../live.ts';
import { oneOf, textIn, useSearchOf, type RawSearch } from '../shell/search.ts';
import { Badge } from '../ui/badge.tsx';
import { Choice, SearchBox } from '../ui/filters.tsx';
import { Loaded } from '../ui/loading.tsx';
import { Empty, Page } from '../ui/page.tsx';
import { Pager } from '../ui/pager.tsx';
import { RowLink } from '../ui/row-link.tsx';
import { Table, type Column } from '../ui/table.tsx';
import { Age } from '../ui/time.tsx';
import { QueueNotices } from './queue-notices.tsx';
import { Took } from './took.tsx';

export const JOB_STATUSES = ['PENDING', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELED'] as const;

const readSearch = (raw: RawSearch) => ({
  status: oneOf(raw, 'status', JOB_STATUSES),
  campaign: textIn(raw, 'campaign'),
  label: textIn(raw, 'label'),
  error: textIn(raw, 'error'),
  after: textIn(raw, 'after'),
});

export const JobsPage = (): ReactNode => {
  const api = useApi();
  const context = useContextOfPages() ?? '';
  const columns = useMemo(() => columnsIn(context), [context]);
  const [search, change] = useSearchOf(readSearch);
  const { status, campaign, label, error, after } = search;
  const query = useQuery({
    queryKey: ['o', context, 'jobs', search],
    queryFn: () =>
      dataOf(
        api.GET('/jobs', {
          params: {
            query: {
              view: 'summary',
              limit: 100,
              ...(status !== undefined && { status }),
              ...(campaign !== undefined && { campaign_id: campaign }),
              ...(label !== undefined && { label }),
              ...(error !== undefined && { error_code: error }),
              ...(after !== undefined && { cursor: after }),
            },
          },
        }),
      ),
    placeholderData: keepPreviousData,
    refetchInterval: useFallbackRefresh(),
  });
  const askLabel = useCallback((value: string | undefined) => change({ label: value }), [change]);
  const askError = useCallback((value: string | undefined) => change({ error: value }), [change]);
  return (
    <Page
      title="Jobs"
      lead="Each job docks one ligand into one receptor. The newest come first."
      actions={
        <Link className="button primary" to="/o/$orgId/submit" params={{ orgId: context }}>
          Dock ligands
        </Link>
      }
    >
      <QueueNotices />
      <div className="filters">
        <Choice
          label="Status"
          value={status}
          options={JOB_STATUSES}
          onChange={(chosen) => change({ status: chosen })}
        />
        <SearchBox label="Label, as a whole" value={label} onChange={askLabel} />
        {(status === 'FAILED' || error !== undefined) && (
          <SearchBox label="Error code" value={error} onChange={askError} />
        )}
        {campaign !== undefined && (
          <button onClick={() => change({ campaign: undefined })}>of one campaign ×</button>
        )}
      </div>
      <Loaded query={query}>
        {({ items, next_cursor: next }) => (
          <>
            <Table
              label="Jobs"
              columns={columns}
              rows={items}
              rowKey={({ job_id: id }) => id}
              empty={
                <Empty curl={CURL}>
                  <p>
                    {Object.values(search).some((value) => value !== undefined)
                      ? 'No job is like that. Change the filters.'
                      : 'No job yet. “Dock ligands” submits the first: bring a receptor and a ligand.'}
                  </p>
                </Empty>
              }
            />
            <Pager after={after} next={next} shown={items.length} />
          </>
        )}
      </Loaded>
    </Page>
  );
};

const CURL = `curl $URL/jobs -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' -d '{"engine": "vina", "inputs": {"receptor": {"file": "sha256:…"}, "ligand": {"file": "sha256:…"}}}'`;

type Summary = Schemas['JobSummary'];

const columnsIn = (orgId: string): readonly Column<Summary>[] => [
  {
    head: 'Job',
    cell: ({ job_id: jobId, label }) => (
      <RowLink to="/o/$orgId/jobs/$jobId" params={{ orgId, jobId }}>
        {label ?? <code>{jobId}</code>}
      </RowLink>
    ),
  },
  { head: 'Status', width: '9rem', cell: ({ status }) => <Badge state={status} /> },
  {
    head: 'Details',
    cell: ({ status, progress, error_code: code, cache, lease }) => {
      if (status === 'FAILED') return code ?? 'no code';
      if (status === 'RUNNING') return progress?.message ?? (lease === null ? '' : `by ${lease.worker}`);
      return cache.hit ? 'from the cache' : '';
    },
  },
  { head: 'Engine', minor: true, width: '6rem', cell: ({ engine }) => engine },
  { head: 'Took', minor: true, width: '8rem', cell: (job) => <Took job={job} /> },
  { head: 'Submitted', width: '8rem', cell: ({ created_at: at }) => <Age at={at} /> },
];
