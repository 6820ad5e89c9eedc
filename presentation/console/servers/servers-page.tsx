import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { dataOf, useApi, type Schemas } from '../api/client.ts';
import { useFallbackRefresh } from '../live.ts';
import { ActionDialog } from '../ui/dialog.tsx';
import { Loaded } from '../ui/loading.tsx';
import { Page } from '../ui/page.tsx';
import { toast } from '../ui/toast.tsx';
import { ServerTable } from './server-table.tsx';

type Server = Schemas['Server'];

const STATUSES: Readonly<Record<Server['status'], string>> = {
  active: 'takes new databases',
  draining: 'takes no new databases; those there stay served',
  disabled: 'takes no new databases; those there stay served',
};

export const ServersPage = (): ReactNode => {
  const api = useApi();
  const [changed, setChanged] = useState<Server | null>(null);
  const query = useQuery({
    queryKey: ['fleet', 'servers'],
    queryFn: () => dataOf(api.GET('/admin/servers')),
    refetchInterval: useFallbackRefresh(),
  });
  return (
    <Page
      title="Servers"
      lead="PostgreSQL servers of results databases. Their addresses are in the configuration of the processes; what they may take is decided here."
    >
      <Loaded query={query}>
        {({ items }) => (
          <ServerTable
            servers={items}
            actions={(server) => (
              <button aria-label={`Change ${server.server_id}`} onClick={() => setChanged(server)}>
                Change…
              </button>
            )}
          />
        )}
      </Loaded>
      {changed !== null && <ChangeDialog server={changed} onClose={() => setChanged(null)} />}
    </Page>
  );
};

interface ChangeProps {
  readonly server: Server;
  readonly onClose: () => void;
}

const ChangeDialog = ({ server, onClose }: ChangeProps): ReactNode => {
  const { server_id: id, databases } = server;
  const api = useApi();
  const queries = useQueryClient();
  const [status, setStatus] = useState(server.status);
  const [weight, setWeight] = useState(String(server.weight));
  const [most, setMost] = useState(server.max_databases === null ? '' : String(server.max_databases));
  const save = async (): Promise<void> => {
    await api.PATCH('/admin/servers/{server_id}', {
      params: { path: { server_id: id } },
      body: {
        status,
        weight: Number(weight),
        max_databases: most === '' ? null : Number(most),
        seen_status: server.status,
      },
    });
    await queries.invalidateQueries({ queryKey: ['fleet'] });
    toast(`${id} is changed.`);
  };
  return (
    <ActionDialog title={`Change ${id}`} act="Save" perform={save} onClose={onClose}>
      <p>It holds {databases} databases. None of them is moved by this.</p>
      <label>
        Status
        <select value={status} onChange={({ target }) => setStatus(statusOf(target.value) ?? status)}>
          {Object.entries(STATUSES).map(([name, meaning]) => (
            <option key={name} value={name}>
              {name}: {meaning}
            </option>
          ))}
        </select>
      </label>
      <label>
        Weight: a server of twice the weight takes twice the databases
        <input
          type="number"
          min={1}
          required
          value={weight}
          onChange={(event) => setWeight(event.target.value)}
        />
      </label>
      <label>
        Most databases; empty: no limit
        <input type="number" min={0} value={most} onChange={(event) => setMost(event.target.value)} />
      </label>
    </ActionDialog>
  );
};

const statusOf = (text: string): Server['status'] | undefined =>
  Object.keys(STATUSES).find((name): name is Server['status'] => name === text);
