import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useMemo, type ReactNode } from 'react';
import { dataOf, useApi, useContextOfPages, type Schemas } from '../api/client.ts';
import { useFallbackRefresh } from '../live.ts';
import { oneOf, textIn, useSearchOf, type RawSearch } from '../shell/search.ts';
import { Badge } from '../ui/badge.tsx';
import { Choice } from '../ui/filters.tsx';
import { Loaded } from '../ui/loading.tsx';
import { Empty, Page } from '../ui/page.tsx';
import { Pager } from '../ui/pager.tsx';
import { RowLink } from '../ui/row-link.tsx';
import { Table, type Column } from '../ui/table.tsx';
import { Age } from '../ui/time.tsx';

const ARCHIVED = ['false', 'true'] as const;

const readSearch = (raw: RawSearch) => ({
  archived: oneOf(raw, 'archived', ARCHIVED),
  after: textIn(raw, 'after'),
});

export const CampaignsPage = (): ReactNode => {
  const api = useApi();
  const context = useContextOfPages() ?? '';
  const columns = useMemo(() => columnsIn(context), [context]);
  const [{ archived, after }, change] = useSearchOf(readSearch);
  const query = useQuery({
    queryKey: ['o', context, 'campaigns', archived, after],
    queryFn: () =>
      dataOf(
        api.GET('/campaigns', {
          params: {
            query: {
              limit: 100,
              archived: archived === 'true',
              ...(after !== undefined && { cursor: after }),
            },
          },
        }),
      ),
    placeholderData: keepPreviousData,
    refetchInterval: useFallbackRefresh(),
  });
  return (
    <Page
      title="Campaigns"
      lead="A campaign docks many ligands into one receptor, and ranks them."
      actions={
        <Link className="button primary" to="/o/$orgId/submit" params={{ orgId: context }}>
          Dock ligands
        </Link>
      }
    >
      <div className="filters">
        <Choice
          label="Show"
          any="in use"
          value={archived === 'true' ? 'archived' : undefined}
          options={['archived']}
          onChange={(chosen) => change({ archived: chosen === undefined ? undefined : 'true' })}
        />
      </div>
      <Loaded query={query}>
        {({ items, next_cursor: next }) => (
          <>
            <Table
              label="Campaigns"
              columns={columns}
              rows={items}
              rowKey={({ campaign_id: id }) => id}
              empty={
                <Empty curl={CURL}>
                  <p>No campaign yet. “Dock ligands” makes one for you: bring a receptor and your ligands.</p>
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

const CURL = `curl $URL/campaigns -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' -d '{"name": "c-Abl, library 3", "engine": "vina"}'`;

const columnsIn = (orgId: string): readonly Column<Schemas['Campaign']>[] => [
  {
    head: 'Campaign',
    cell: ({ campaign_id: campaignId, name }) => (
      <RowLink to="/o/$orgId/campaigns/$campaignId" params={{ orgId, campaignId }}>
        {name}
      </RowLink>
    ),
  },
  { head: 'Engine', width: '6rem', minor: true, cell: ({ engine }) => engine ?? '' },
  {
    head: '',
    width: '7rem',
    cell: ({ archived_at: at }) => (at === null ? '' : <Badge state="archived" />),
  },
  { head: 'Begun', width: '8rem', cell: ({ created_at: at }) => <Age at={at} /> },
];
