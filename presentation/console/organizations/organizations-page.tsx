import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useState, type ReactNode } from 'react';
import { dataOf, useApi, type Schemas } from '../api/client.ts';
import { oneOf, textIn, useSearchOf, type RawSearch } from '../shell/search.ts';
import { Badge } from '../ui/badge.tsx';
import { ActionDialog } from '../ui/dialog.tsx';
import { Choice, SearchBox } from '../ui/filters.tsx';
import { Loaded } from '../ui/loading.tsx';
import { Empty, Page } from '../ui/page.tsx';
import { Pager } from '../ui/pager.tsx';
import { RowLink } from '../ui/row-link.tsx';
import { Table, type Column } from '../ui/table.tsx';
import { Age } from '../ui/time.tsx';
import { toast } from '../ui/toast.tsx';

type Listed = Schemas['ListedOrganization'];

const STATUSES = ['active', 'suspended'] as const;
const STATES = ['none', 'provisioning', 'ready', 'failed', 'retiring'] as const;
const SORTS = ['id', 'name', 'newest'] as const;

const readSearch = (raw: RawSearch) => ({
  q: textIn(raw, 'q'),
  status: oneOf(raw, 'status', STATUSES),
  state: oneOf(raw, 'state', STATES),
  server: textIn(raw, 'server'),
  sort: oneOf(raw, 'sort', SORTS),
  after: textIn(raw, 'after'),
});

export const OrganizationsPage = (): ReactNode => {
  const api = useApi();
  const [search, change] = useSearchOf(readSearch);
  const [creating, setCreating] = useState(false);
  const { after, ...filter } = search;
  const query = useQuery({
    queryKey: ['fleet', 'organizations', search],
    queryFn: () =>
      dataOf(
        api.GET('/organizations', {
          // Names that are undefined are not sent.
          params: { query: { limit: 100, ...filter, cursor: after } as { limit: number } },
        }),
      ),
    placeholderData: keepPreviousData,
  });
  const ask = useCallback((q: string | undefined) => change({ q }), [change]);
  return (
    <Page
      title="Organizations"
      lead="Each has a results database of its own, which is made at first use."
      actions={
        <button className="primary" onClick={() => setCreating(true)}>
          New organization
        </button>
      }
    >
      <div className="filters">
        <SearchBox label="Id or name begins with" value={search.q} onChange={ask} />
        <Choice
          label="Status"
          value={search.status}
          options={STATUSES}
          onChange={(status) => change({ status })}
        />
        <Choice
          label="Database"
          value={search.state}
          options={STATES}
          onChange={(state) => change({ state })}
        />
        <Choice
          label="Order"
          any="id"
          value={search.sort}
          options={SORTS.slice(1)}
          onChange={(sort) => change({ sort })}
        />
        {search.server !== undefined && (
          <button onClick={() => change({ server: undefined })}>on server {search.server} ×</button>
        )}
      </div>
      <Loaded query={query}>
        {({ items, next_cursor: next }) => (
          <>
            <Table
              label="Organizations"
              columns={COLUMNS}
              rows={items}
              rowKey={({ org_id: id }) => id}
              empty={
                <Empty
                  curl={`curl $URL/organizations -H "Authorization: Bearer $OPERATOR" -H 'Content-Type: application/json' -d '{"org_id": "acme", "name": "Acme"}'`}
                >
                  No organization is like that. Change the filters, or make a new one.
                </Empty>
              }
            />
            <Pager after={after} next={next} shown={items.length} />
          </>
        )}
      </Loaded>
      {creating && <CreateDialog onClose={() => setCreating(false)} />}
    </Page>
  );
};

const CreateDialog = ({ onClose }: { readonly onClose: () => void }): ReactNode => {
  const api = useApi();
  const queries = useQueryClient();
  const [id, setId] = useState('');
  const [name, setName] = useState('');
  const create = async (): Promise<void> => {
    await api.POST('/organizations', { body: { org_id: id, name } });
    await queries.invalidateQueries({ queryKey: ['fleet'] });
    toast(`${id} is registered. Its database is made at first use.`);
  };
  return (
    <ActionDialog
      title="New organization"
      act="Register it"
      perform={create}
      onClose={onClose}
      disabled={id === '' || name === ''}
    >
      <label>
        Id: small letters, digits and hyphens. It never changes
        <input value={id} autoComplete="off" onChange={(event) => setId(event.target.value)} />
      </label>
      <label>
        Name
        <input value={name} autoComplete="off" onChange={(event) => setName(event.target.value)} />
      </label>
    </ActionDialog>
  );
};

const COLUMNS: readonly Column<Listed>[] = [
  {
    head: 'Organization',
    cell: ({ org_id: id }) => (
      <RowLink to="/fleet/organizations/$orgId" params={{ orgId: id }}>
        {id}
      </RowLink>
    ),
  },
  { head: 'Name', cell: ({ name }) => name },
  { head: 'Status', width: '8rem', cell: ({ status }) => <Badge state={status} /> },
  {
    head: 'Database',
    width: '9rem',
    cell: ({ database }) => (
      <Badge state={database?.state ?? 'none'}>{database === null ? 'not yet made' : undefined}</Badge>
    ),
  },
  { head: 'Server', minor: true, cell: ({ database }) => database?.server_id ?? '' },
  { head: 'Schema', numeric: true, minor: true, cell: ({ database }) => database?.schema_version ?? '' },
  {
    head: 'Since',
    minor: true,
    width: '7rem',
    cell: ({ created_at: at }) => <Age at={at} />,
  },
  { head: 'Last error', cell: ({ database }) => database?.last_error ?? '' },
];
