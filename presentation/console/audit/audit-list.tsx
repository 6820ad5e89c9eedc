import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState, type ReactNode } from 'react';
import { dataOf, fetchIn, useApi, useContextOfPages, type Schemas } from '../api/client.ts';
import { stringifySearch, textIn, useSearchOf, type RawSearch } from '../shell/search.ts';
import { useAction } from '../ui/action.tsx';
import { CopyButton } from '../ui/copy.tsx';
import { Loaded } from '../ui/loading.tsx';
import { Pager } from '../ui/pager.tsx';
import { Problem } from '../ui/problem.tsx';
import { Table, type Column } from '../ui/table.tsx';
import { Moment } from '../ui/time.tsx';

type Entry = Schemas['AuditEntry'];

const FILTERS = {
  action: 'Action',
  actor: 'Who (user id)',
  entity_id: 'What (id)',
  request_id: 'Request',
  from: 'From (with a zone)',
  to: 'Before',
} as const;
type Filter = keyof typeof FILTERS;
type Filters = Readonly<Record<Filter, string | undefined>>;
const filterNames = Object.keys(FILTERS).filter((name): name is Filter => name in FILTERS);

const readSearch = (raw: RawSearch) => ({
  // Each name of a filter is there.
  ...(Object.fromEntries(filterNames.map((name) => [name, textIn(raw, name)])) as Filters),
  scope: raw['scope'] === 'all' ? ('all' as const) : undefined,
  after: textIn(raw, 'after'),
});

interface AuditListProps {
  /** Null: what concerns no single organization, or all of them. */
  readonly organizationId: string | null;
}

/** The audit trail with filters, newest first. Its rows open, and lead to all of one request, person or thing. */
export const AuditList = ({ organizationId }: AuditListProps): ReactNode => {
  const api = useApi();
  const context = useContextOfPages();
  const [search, change] = useSearchOf(readSearch);
  const { after, scope, ...filters } = search;
  const query = useQuery({
    queryKey: ['audit', organizationId, search],
    queryFn: () => {
      const asked = { limit: 100, ...given({ ...filters, cursor: after }) };
      return context === null
        ? dataOf(
            api.GET('/admin/audit-logs', {
              params: {
                query: {
                  ...asked,
                  ...given(organizationId === null ? { scope } : { org_id: organizationId }),
                },
              },
            }),
          )
        : dataOf(
            api.GET('/organizations/{org_id}/audit-logs', {
              params: { path: { org_id: context }, query: asked },
            }),
          );
    },
    placeholderData: keepPreviousData,
  });
  const columns = organizationId === null ? COLUMNS : COLUMNS.filter(({ head }) => head !== 'Organization');
  return (
    <>
      <FilterForm key={JSON.stringify(filters)} filters={filters} onChange={change} />
      <div className="filters">
        {organizationId === null && (
          <label className="check">
            <input
              type="checkbox"
              checked={scope === 'all'}
              onChange={({ target }) => change({ scope: target.checked ? 'all' : undefined })}
            />
            with all organizations
          </label>
        )}
        {context === null && (
          <ExportButtons
            search={stringifySearch({ ...filters, scope, org_id: organizationId ?? undefined })}
          />
        )}
      </div>
      <Loaded query={query}>
        {({ items, next_cursor: next }) => (
          <>
            <Table
              label="Audit trail"
              columns={columns}
              rows={items}
              rowKey={({ audit_id: id }) => id}
              empty="Nothing in the trail is like that."
            />
            <Pager after={after} next={next} shown={items.length} />
          </>
        )}
      </Loaded>
    </>
  );
};

/** Without what is undefined: the API refuses a filter that is empty. */
const given = <Fields extends object>(
  fields: Fields,
): { [Name in keyof Fields]: NonNullable<Fields[Name]> } =>
  // What is left out is optional in every query.
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Name in keyof Fields]: NonNullable<Fields[Name]>;
  };

interface FilterFormProps {
  readonly filters: Readonly<Record<Filter, string | undefined>>;
  readonly onChange: (change: Partial<Record<Filter, string | undefined>>) => void;
}

const FilterForm = ({ filters, onChange }: FilterFormProps): ReactNode => {
  const [typed, setTyped] = useState(filters);
  return (
    <form
      className="filters"
      onSubmit={(event) => {
        event.preventDefault();
        onChange(typed);
      }}
    >
      {filterNames.map((name, index) => (
        <label key={name}>
          <span>{FILTERS[name]}</span>
          <input
            {...(index === 0 && { 'data-filter': '' })}
            size={14}
            placeholder={
              name === 'action' ? 'job.submitted' : name === 'from' ? '2026-11-26T06:00Z' : undefined
            }
            value={typed[name] ?? ''}
            onChange={({ target }) => setTyped({ ...typed, [name]: target.value.trim() || undefined })}
          />
        </label>
      ))}
      <span className="row" style={{ alignSelf: 'end' }}>
        <button>Filter</button>
        <button
          type="button"
          onClick={() => onChange(Object.fromEntries(filterNames.map((name) => [name, undefined])))}
        >
          Clear
        </button>
      </span>
    </form>
  );
};

/** A token goes with the request, so the browser cannot simply follow a link. */
const ExportButtons = ({ search }: { readonly search: string }): ReactNode => {
  const { busy, error, run } = useAction();
  const save = (form: 'csv' | 'ndjson') => (): void =>
    run(async () => {
      const response = await fetchIn(null, `/admin/audit-logs.${form}${search}`);
      const link = document.createElement('a');
      link.href = URL.createObjectURL(await response.blob());
      link.download = `audit-logs.${form}`;
      link.click();
      URL.revokeObjectURL(link.href);
    });
  return (
    <span className="row">
      <button disabled={busy} onClick={save('csv')}>
        CSV
      </button>
      <button disabled={busy} onClick={save('ndjson')}>
        NDJSON
      </button>
      {error !== null && <Problem error={error} />}
    </span>
  );
};

/** What happened, and more of the same kind: made when somebody opens it, and not for a hundred entries. */
const Details = (entry: Entry): ReactNode => {
  const [isOpen, setOpen] = useState(false);
  return (
    <details onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>
        {entry.entity_type} <code>{entry.entity_id}</code>
      </summary>
      {isOpen && <WhatHappened {...entry} />}
    </details>
  );
};

const WhatHappened = (entry: Entry): ReactNode => (
  <>
    <pre>{JSON.stringify(entry.details, null, 2)}</pre>
    <p className="row faint">
      {entry.request_id !== null && (
        <Link to="." search={(now: object) => ({ ...now, request_id: entry.request_id, after: undefined })}>
          all of this request
        </Link>
      )}
      {entry.user_id !== null && (
        <Link to="." search={(now: object) => ({ ...now, actor: entry.user_id, after: undefined })}>
          all by this person
        </Link>
      )}
      <Link to="." search={(now: object) => ({ ...now, entity_id: entry.entity_id, after: undefined })}>
        all about this
      </Link>
      {entry.address !== null && <span>from {entry.address}</span>}
      <CopyButton text={JSON.stringify(entry, null, 2)} what="the entry" />
    </p>
  </>
);

const COLUMNS: readonly Column<Entry>[] = [
  { head: 'When', width: '12rem', cell: ({ ts }) => <Moment at={ts} /> },
  { head: 'Action', cell: ({ action }) => <code>{action}</code> },
  { head: 'Organization', cell: ({ org_id: id }) => id ?? '' },
  {
    head: 'Who',
    minor: true,
    cell: ({ user_id: id }) => (id === null ? 'the service' : <code>{id.slice(0, 8)}</code>),
  },
  { head: 'What', cell: (entry) => <Details {...entry} /> },
];
