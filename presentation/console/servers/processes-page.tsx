import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { dataOf, useApi, type Schemas } from '../api/client.ts';
import { bytes, percent } from '../format.ts';
import { useRefresh } from '../live.ts';
import { Badge } from '../ui/badge.tsx';
import { Loaded } from '../ui/loading.tsx';
import { Page, Section } from '../ui/page.tsx';
import { RowLink } from '../ui/row-link.tsx';
import { Table, type Column } from '../ui/table.tsx';
import { Age } from '../ui/time.tsx';

type Instance = Schemas['Instance'];

export const ProcessesPage = (): ReactNode => {
  const api = useApi();
  const query = useQuery({
    queryKey: ['fleet', 'instances'],
    queryFn: () => dataOf(api.GET('/admin/instances')),
    refetchInterval: useRefresh(),
  });
  return (
    <Page title="Processes" lead="Every process of the service, as it described itself in the last 5 s.">
      <Loaded query={query}>
        {({ items }) => (
          <>
            <Table
              label="Processes"
              columns={COLUMNS}
              rows={items}
              rowKey={({ instance_id: id }) => id}
              empty="No process has described itself in the last minute."
            />
            <Section title="Connections by server">
              <Table
                label="Connections of each process by server"
                columns={SERVER_COLUMNS}
                rows={items.flatMap((instance) =>
                  instance.servers.map((server) => ({ ...server, instanceId: instance.instance_id })),
                )}
                rowKey={({ instanceId, server_id: id }) => `${instanceId} ${id}`}
                empty="No process has said anything about servers."
              />
            </Section>
            <Section title="Failing organizations">
              <Table
                label="Organizations of which every request fails"
                columns={FAILING_COLUMNS}
                rows={items.flatMap(({ failing, instance_id: instanceId }) =>
                  failing.map((each) => ({ ...each, instanceId })),
                )}
                rowKey={({ instanceId, org_id: id }) => `${instanceId} ${id}`}
                empty="None: every organization's last request was answered."
              />
            </Section>
          </>
        )}
      </Loaded>
    </Page>
  );
};

const COLUMNS: readonly Column<Instance>[] = [
  {
    head: 'Process',
    cell: ({ instance_id: id, answers }) => (
      <>
        <code>{id.slice(0, 8)}</code> {answers && <span className="faint">answers this page</span>}
      </>
    ),
  },
  {
    head: 'Heard',
    width: '8rem',
    cell: ({ silent, beat_at: at }) => (silent ? <Badge state="silent" /> : <Age at={at} />),
  },
  { head: 'Release', cell: ({ version }) => version },
  { head: 'Up since', minor: true, cell: ({ started_at: at }) => <Age at={at} /> },
  { head: 'Event loop', numeric: true, cell: (row) => percent(row.event_loop_utilization) },
  { head: 'Memory', numeric: true, cell: (row) => bytes(row.rss_bytes) },
  { head: 'Requests/s', numeric: true, cell: (row) => row.requests_per_second.toFixed(1) },
  { head: 'Pools', numeric: true, cell: ({ pools }) => pools.open },
  { head: 'Leases', numeric: true, cell: ({ pools }) => pools.leases },
  {
    head: 'Metadata',
    minor: true,
    cell: ({ metadata }) => (
      <>
        <Badge state={metadata.circuit} tone={metadata.circuit === 'closed' ? 'good' : 'bad'}>
          circuit {metadata.circuit}
        </Badge>{' '}
        {metadata.in_use} in use{metadata.waiting > 0 && `, ${metadata.waiting} waiting`}
      </>
    ),
  },
];

type ServerLine = Instance['servers'][number] & { readonly instanceId: string };

const SERVER_COLUMNS: readonly Column<ServerLine>[] = [
  { head: 'Process', cell: ({ instanceId }) => <code>{instanceId.slice(0, 8)}</code> },
  { head: 'Server', cell: ({ server_id: id }) => id },
  {
    head: 'Circuit',
    cell: ({ circuit }) => <Badge state={circuit} tone={circuit === 'closed' ? 'good' : 'bad'} />,
  },
  { head: 'Open', numeric: true, cell: ({ open }) => open },
  { head: 'Share', numeric: true, cell: ({ share }) => share },
  { head: 'Organizations waiting', numeric: true, cell: ({ waiting }) => waiting },
];

type FailingLine = Instance['failing'][number] & { readonly instanceId: string };

const FAILING_COLUMNS: readonly Column<FailingLine>[] = [
  {
    head: 'Organization',
    cell: ({ org_id: id }) => (
      <RowLink to="/fleet/organizations/$orgId" params={{ orgId: id }}>
        {id}
      </RowLink>
    ),
  },
  { head: 'Error', cell: ({ code }) => <code>{code}</code> },
  { head: 'Failures in a row', numeric: true, cell: ({ failures }) => failures },
];
