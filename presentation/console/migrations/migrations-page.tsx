import { useQuery } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { dataOf, useApi, type Schemas } from '../api/client.ts';
import { useRefresh } from '../live.ts';
import { textIn, useSearchOf, type RawSearch } from '../shell/search.ts';
import { Badge } from '../ui/badge.tsx';
import { Loaded } from '../ui/loading.tsx';
import { Page } from '../ui/page.tsx';
import { Pager } from '../ui/pager.tsx';
import { RowLink } from '../ui/row-link.tsx';
import { Table, type Column } from '../ui/table.tsx';
import { Moment } from '../ui/time.tsx';
import { PlanDialog } from './plan-dialog.tsx';

const readSearch = (raw: RawSearch) => ({ after: textIn(raw, 'after') });

export const MigrationsPage = (): ReactNode => {
  const api = useApi();
  const [{ after }] = useSearchOf(readSearch);
  const [planning, setPlanning] = useState(false);
  const query = useQuery({
    queryKey: ['fleet', 'migrations', after],
    queryFn: () =>
      dataOf(
        api.GET('/admin/migrations', {
          params: { query: { limit: 50, ...(after !== undefined && { cursor: after }) } },
        }),
      ),
    refetchInterval: useRefresh(),
  });
  return (
    <Page
      title="Migrations"
      lead="Each run takes organizations to another schema version: canaries first and alone, then wave after wave."
      actions={
        <button className="primary" onClick={() => setPlanning(true)} disabled={query.data === undefined}>
          Plan a migration…
        </button>
      }
    >
      <Loaded query={query}>
        {({ items, next_cursor: next }) => (
          <>
            <Table
              label="Runs"
              columns={COLUMNS}
              rows={items}
              rowKey={({ run_id: id }) => String(id)}
              empty="There was none yet. New databases are made with the newest schema; a plan says which ones are behind."
            />
            <Pager after={after} next={next} shown={items.length} />
            {planning && (
              <PlanDialog seenRunId={items[0]?.run_id ?? null} onClose={() => setPlanning(false)} />
            )}
          </>
        )}
      </Loaded>
    </Page>
  );
};

const COLUMNS: readonly Column<Schemas['MigrationRun']>[] = [
  {
    head: 'Run',
    cell: ({ run_id: id }) => (
      <RowLink to="/fleet/migrations/$runId" params={{ runId: String(id) }}>
        {id}
      </RowLink>
    ),
  },
  { head: 'Kind', cell: ({ kind }) => kind },
  { head: 'To schema', numeric: true, cell: ({ target_version: target }) => target ?? 'where each was' },
  { head: 'State', width: '8rem', cell: ({ state }) => <Badge state={state} /> },
  { head: 'Why', cell: ({ reason }) => reason ?? '' },
  { head: 'Worked on by', minor: true, cell: ({ served }) => (served ? 'the service' : 'commands') },
  { head: 'Begun', minor: true, cell: ({ created_at: at }) => <Moment at={at} /> },
];
