import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { dataOf, useApi, type Schemas } from '../api/client.ts';
import { number, words } from '../format.ts';
import { useFallbackRefresh } from '../live.ts';
import { ServerTable } from '../servers/server-table.tsx';
import { Badge } from '../ui/badge.tsx';
import { Loaded } from '../ui/loading.tsx';
import { Page, Section } from '../ui/page.tsx';
import { RowLink } from '../ui/row-link.tsx';
import { Table, type Column } from '../ui/table.tsx';
import { Age } from '../ui/time.tsx';
import { NeedsYou } from './needs-you.tsx';

type Overview = Schemas['Overview'];

/** What operators open in the morning: what is wrong first, and then the numbers. */
export const FleetPage = (): ReactNode => {
  const api = useApi();
  const query = useQuery({
    queryKey: ['fleet', 'overview'],
    queryFn: () => dataOf(api.GET('/admin/overview')),
    refetchInterval: useFallbackRefresh(),
  });
  return (
    <Page
      title="Fleet"
      lead="What is wrong and what to do about it, and the whole deployment in numbers. Looking at it wakes no database."
    >
      <Loaded query={query}>{(overview) => <Numbers {...overview} />}</Loaded>
    </Page>
  );
};

const Numbers = (overview: Overview): ReactNode => {
  const { at, needs_you: items, organizations, servers, processes, busiest, run } = overview;
  const { by_status: statuses, by_database_state: states } = organizations;
  return (
    <>
      <NeedsYou items={items} />
      <Section
        title="Organizations"
        aside={
          <span className="faint">
            read <Age at={at} />
          </span>
        }
      >
        <div className="tiles">
          <Tile count={organizations.total} label="organizations" />
          <Tile count={statuses.suspended ?? 0} label="suspended" search={{ status: 'suspended' }} />
          {Object.entries(states).map(([state, count]) => (
            <Tile
              key={state}
              count={count}
              label={state === 'none' ? 'without a database yet' : `databases ${words(state)}`}
              search={{ state }}
            />
          ))}
          <div className="tile">
            <strong>{processes.requests_per_second.toFixed(1)}</strong> requests/s
          </div>
          <Link className="tile" to="/fleet/processes">
            <strong>{processes.live}</strong> {processes.live === 1 ? 'process' : 'processes'}
            {processes.silent > 0 && <Badge state="silent">{processes.silent} silent</Badge>}
          </Link>
        </div>
      </Section>
      {run !== null && <CurrentRun run={run} />}
      <Section title="Servers">
        <ServerTable servers={servers} />
      </Section>
      <Section title="Busiest now">
        <Table
          label="Busiest organizations"
          columns={BUSIEST}
          rows={busiest}
          rowKey={({ org_id: id }) => id}
          empty="No organization has sent a request in the last 5 s."
        />
      </Section>
    </>
  );
};

interface TileProps {
  readonly count: number;
  readonly label: string;
  readonly search?: Readonly<Record<string, string>>;
}

const Tile = ({ count, label, search = {} }: TileProps): ReactNode => (
  <Link className="tile" to="/fleet/organizations" search={search}>
    <strong>{number(count)}</strong> {label}
  </Link>
);

const CurrentRun = ({ run }: { readonly run: NonNullable<Overview['run']> }): ReactNode => (
  <Section title="Migration">
    <div className="panel row">
      <Link to="/fleet/migrations/$runId" params={{ runId: String(run.run_id) }}>
        Run {run.run_id}
      </Link>
      <Badge state={run.state} />
      <span>
        {number(run.counts.done)} done, {number(run.counts.failed)} failed,{' '}
        {number(run.counts.pending + run.counts.running + run.counts.deferred)} to go
      </span>
      {run.reason !== null && <span className="faint">{run.reason}</span>}
    </div>
  </Section>
);

const BUSIEST: readonly Column<Overview['busiest'][number]>[] = [
  {
    head: 'Organization',
    cell: ({ org_id: id }) => (
      <RowLink to="/fleet/organizations/$orgId" params={{ orgId: id }}>
        {id}
      </RowLink>
    ),
  },
  { head: 'Requests/s', numeric: true, cell: (row) => row.requests_per_second.toFixed(1) },
  { head: 'Connections', numeric: true, cell: ({ open }) => open },
  { head: 'Waiting', numeric: true, cell: ({ waiting }) => waiting },
];
