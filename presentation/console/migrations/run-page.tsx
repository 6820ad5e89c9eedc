import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { dataOf, useApi, type Schemas } from '../api/client.ts';
import { duration, number } from '../format.ts';
import { useRefresh } from '../live.ts';
import { oneOf, textIn, useSearchOf, type RawSearch } from '../shell/search.ts';
import { Badge } from '../ui/badge.tsx';
import { Choice } from '../ui/filters.tsx';
import { Loaded } from '../ui/loading.tsx';
import { Facts, Page, Section } from '../ui/page.tsx';
import { Pager } from '../ui/pager.tsx';
import { RowLink } from '../ui/row-link.tsx';
import { Table, type Column } from '../ui/table.tsx';
import { Age, Moment } from '../ui/time.tsx';
import { RunActions, RunDanger } from './run-actions.tsx';

type Progress = Schemas['MigrationProgress'];
type Item = Schemas['MigrationItem'];

const STATES = ['failed', 'pending', 'running', 'deferred', 'done'] as const;

const readSearch = (raw: RawSearch) => ({ state: oneOf(raw, 'state', STATES), after: textIn(raw, 'after') });

export const RunPage = (): ReactNode => {
  const { runId = '' } = useParams({ strict: false });
  const api = useApi();
  const query = useQuery({
    queryKey: ['fleet', 'run', runId],
    queryFn: () =>
      dataOf(api.GET('/admin/migrations/{run_id}', { params: { path: { run_id: Number(runId) } } })),
    refetchInterval: useRefresh(2_000),
  });
  return (
    <Page title={`Migration run ${runId}`} lead={<Link to="/fleet/migrations">All runs</Link>}>
      <Loaded query={query}>{(run) => <Run {...run} />}</Loaded>
      <Items runId={Number(runId)} />
      {query.data !== undefined && <RunDanger run={query.data} />}
    </Page>
  );
};

const Run = (run: Progress): ReactNode => (
  <div className="panel stack">
    <div className="row spread">
      <span className="row">
        <Badge state={run.state} />
        {run.reason !== null && <strong>{run.reason}</strong>}
      </span>
      <RunActions run={run} />
    </div>
    <Bar {...run} />
    <Facts
      of={{
        Kind: run.kind,
        'To schema': run.target_version ?? 'where each was before',
        Organizations: `${number(run.counts.done)} of ${number(run.organizations)} done`,
        'Under way': number(run.counts.running),
        'To go': number(run.counts.pending + run.counts.deferred),
        Failed: `${number(run.counts.failed)} (halts above ${number(run.error_budget)})`,
        Wave: run.wave === 0 ? 'canaries' : `${run.wave} of ${run.waves}`,
        'Worked on by': run.served ? 'the service' : 'commands',
        Begun: <Moment at={run.created_at} />,
        [run.finished_at === null ? 'Last sign of life' : 'Ended']: (
          <Age at={run.finished_at ?? run.updated_at} />
        ),
      }}
    />
    <p className="faint">{WAY_OUT[run.state]}</p>
  </div>
);

const WAY_OUT: Readonly<Record<Progress['state'], string>> = {
  running: 'Pause it to let it begin nothing more; databases under way are finished.',
  paused: 'It begins nothing until it is resumed.',
  halted:
    'It begins nothing more. Look at the failures below, mend their cause, and retry them; or go on without them, or take organizations back.',
  finished: 'It is over. Organizations that failed can be retried, and any can be taken back.',
};

/** How many of the organizations ended how. The numbers beside it say the same. */
const Bar = ({ counts, organizations }: Progress): ReactNode => (
  <div
    className="waves"
    role="img"
    aria-label={`${counts.done} done, ${counts.failed} failed of ${organizations}`}
  >
    {(['done', 'failed', 'running', 'deferred'] as const)
      .filter((state) => counts[state] > 0)
      .map((state) => (
        <span key={state} className={state} style={{ width: `${(counts[state] / organizations) * 100}%` }} />
      ))}
  </div>
);

const Items = ({ runId }: { readonly runId: number }): ReactNode => {
  const api = useApi();
  const [{ state, after }, change] = useSearchOf(readSearch);
  const query = useQuery({
    queryKey: ['fleet', 'run', runId, 'items', state, after],
    queryFn: () =>
      dataOf(
        api.GET('/admin/migrations/{run_id}/organizations', {
          params: {
            path: { run_id: runId },
            query: {
              limit: 100,
              ...(state !== undefined && { state }),
              ...(after !== undefined && { cursor: after }),
            },
          },
        }),
      ),
    refetchInterval: useRefresh(),
    placeholderData: keepPreviousData,
  });
  return (
    <Section
      title="Its organizations"
      aside={
        <Choice
          label="State"
          options={STATES}
          value={state}
          onChange={(chosen) => change({ state: chosen })}
        />
      }
    >
      <Loaded query={query}>
        {({ items, next_cursor: next }) => (
          <>
            <Table
              label="Organizations of the run"
              columns={COLUMNS}
              rows={items}
              rowKey={({ org_id: id }) => id}
              empty="None is like that."
            />
            <Pager after={after} next={next} shown={items.length} />
          </>
        )}
      </Loaded>
    </Section>
  );
};

const COLUMNS: readonly Column<Item>[] = [
  {
    head: 'Organization',
    cell: ({ org_id: id }) => (
      <RowLink to="/fleet/organizations/$orgId" params={{ orgId: id }}>
        {id}
      </RowLink>
    ),
  },
  { head: 'Wave', cell: ({ wave }) => (wave === 0 ? 'canary' : wave) },
  { head: 'Schema', cell: ({ from_version: from, to_version: to }) => `${from} → ${to}` },
  { head: 'State', width: '8rem', cell: ({ state }) => <Badge state={state} /> },
  { head: 'Attempts', numeric: true, minor: true, cell: ({ attempts }) => attempts },
  {
    head: 'Took',
    numeric: true,
    minor: true,
    cell: ({ duration_ms: ms }) => (ms === null ? '' : duration(ms)),
  },
  { head: 'Error', cell: ({ error }) => error ?? '' },
];
