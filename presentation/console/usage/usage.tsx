import { keepPreviousData, useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { dataOf, useApi, type Schemas } from '../api/client.ts';
import { serverNow } from '../clock.ts';
import { bytes, duration, number } from '../format.ts';
import { oneOf, useSearchOf, type RawSearch } from '../shell/search.ts';
import { Choice } from '../ui/filters.tsx';
import { Loaded } from '../ui/loading.tsx';
import { Facts } from '../ui/page.tsx';
import { Table, type Column } from '../ui/table.tsx';

const DAYS = ['7', '30', '90'] as const;
const DAY_MS = 86_400_000;

const readSearch = (raw: RawSearch) => ({ days: oneOf(raw, 'days', DAYS) });

/** What an organization has used, a line for each day in UTC. */
export const Usage = ({ organizationId }: { readonly organizationId: string }): ReactNode => {
  const api = useApi();
  const [{ days = '30' }, change] = useSearchOf(readSearch);
  const query = useQuery({
    queryKey: ['usage', organizationId, days],
    queryFn: () => {
      const from = new Date(serverNow() - (Number(days) - 1) * DAY_MS).toISOString().slice(0, 10);
      const path = { org_id: organizationId };
      return dataOf(api.GET('/organizations/{org_id}/usage', { params: { path, query: { from } } }));
    },
    placeholderData: keepPreviousData,
  });
  return (
    <div className="stack">
      <div className="filters">
        <Choice
          label="Days"
          any="30"
          value={days === '30' ? undefined : days}
          options={DAYS.filter((each) => each !== '30')}
          onChange={(chosen) => change({ days: chosen })}
        />
      </div>
      <Loaded query={query}>
        {({ total, days: used }) => (
          <>
            <Facts
              of={{
                Jobs: number(total.jobs),
                'Core time': duration(total.core_seconds * 1000),
                Requests: number(total.requests),
                Refused: number(total.refusals),
                'Time in the database': duration(total.db_ms),
                'Sent to clients': bytes(total.egress_bytes),
              }}
            />
            <Table
              label="Usage by day"
              columns={COLUMNS}
              rows={used.toReversed()}
              rowKey={({ day }) => day}
              empty={<p>Nothing was used in these days. What is used now is here within a minute or so.</p>}
            />
          </>
        )}
      </Loaded>
    </div>
  );
};

const COLUMNS: readonly Column<Schemas['UsageDay']>[] = [
  { head: 'Day, UTC', width: '8rem', cell: ({ day }) => day },
  { head: 'Jobs', numeric: true, cell: ({ jobs }) => number(jobs) },
  {
    head: 'Core time',
    numeric: true,
    cell: ({ core_seconds: seconds }) => (seconds === 0 ? '' : duration(seconds * 1000)),
  },
  { head: 'Requests', numeric: true, cell: ({ requests }) => number(requests) },
  { head: 'Refused', numeric: true, minor: true, cell: ({ refusals }) => number(refusals) },
  { head: 'In the database', numeric: true, minor: true, cell: ({ db_ms: ms }) => duration(ms) },
  { head: 'Sent', numeric: true, minor: true, cell: ({ egress_bytes: sent }) => bytes(sent) },
  {
    head: 'Database',
    numeric: true,
    cell: ({ stored_bytes: stored }) => (stored === null ? '' : bytes(stored)),
  },
];
