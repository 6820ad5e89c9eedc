import type { ReactNode } from 'react';
import { Link } from '@tanstack/react-router';
import type { Schemas } from '../api/client.ts';
import { number, words } from '../format.ts';
import { Badge } from '../ui/badge.tsx';
import { Meter } from '../ui/meter.tsx';
import { Table, type Column } from '../ui/table.tsx';

type Server = Schemas['Server'];

interface ServerTableProps {
  readonly servers: readonly Server[];
  /** A column of its own at the end, for what can be done. */
  readonly actions?: (server: Server) => ReactNode;
}

/** PostgreSQL servers as the process that answers sees them. */
export const ServerTable = ({ servers, actions }: ServerTableProps): ReactNode => (
  <Table
    label="Servers"
    columns={actions === undefined ? COLUMNS : [...COLUMNS, { head: 'Change', cell: actions }]}
    rows={servers}
    rowKey={({ server_id: id }) => id}
    empty="There is no server yet."
  />
);

/** Whether it answers is another matter than what operators want of it. */
const Health = ({ configured, available, problems }: Server): ReactNode => {
  if (!configured) return <Badge state="unavailable">not configured</Badge>;
  if (!available) return <Badge state="unavailable">does not answer</Badge>;
  if (problems.length > 0) return <Badge state="warning">{problems.map(words).join(', ')}</Badge>;
  return <Badge state="available">answers</Badge>;
};

const COLUMNS: readonly Column<Server>[] = [
  {
    head: 'Server',
    cell: ({ server_id: id }) => (
      <Link to="/fleet/organizations" search={{ server: id }} title="Its organizations">
        {id}
      </Link>
    ),
  },
  { head: 'Status', width: '7rem', cell: ({ status }) => <Badge state={status} /> },
  { head: 'Health', cell: (server) => <Health {...server} /> },
  {
    head: 'Databases',
    numeric: true,
    cell: ({ databases, max_databases: most }) =>
      most === null ? number(databases) : `${number(databases)} of ${number(most)}`,
  },
  {
    head: 'Connections of this process',
    cell: ({ connections }) =>
      connections === null ? (
        <span className="faint">none</span>
      ) : (
        <Meter
          value={connections.open}
          max={connections.share}
          label="Connections in use of this process's share"
        />
      ),
  },
  { head: 'Waiting', numeric: true, cell: ({ connections }) => connections?.waiting ?? 0 },
  { head: 'Weight', numeric: true, minor: true, cell: ({ weight }) => weight },
  {
    head: 'Labels',
    minor: true,
    cell: ({ labels }) =>
      Object.entries(labels)
        .map(([name, value]) => `${name}=${value}`)
        .join(', '),
  },
];
