import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { dataOf, useApi, type Schemas } from '../api/client.ts';
import { ActionDialog } from '../ui/dialog.tsx';
import { toast } from '../ui/toast.tsx';

interface RenameProps {
  readonly id: string;
  readonly name: string;
  readonly onClose: () => void;
}

export const RenameDialog = ({ id, name, onClose }: RenameProps): ReactNode => {
  const api = useApi();
  const queries = useQueryClient();
  const [typed, setTyped] = useState(name);
  const rename = async (): Promise<void> => {
    await api.PATCH('/organizations/{org_id}', { params: { path: { org_id: id } }, body: { name: typed } });
    await queries.invalidateQueries({ queryKey: ['fleet'] });
    toast(`${id} is called “${typed}”.`);
  };
  return (
    <ActionDialog
      title={`Rename ${id}`}
      act="Rename"
      perform={rename}
      onClose={onClose}
      disabled={typed.trim() === ''}
    >
      <p>The id stays: addresses, databases and tokens name it.</p>
      <label>
        Name
        <input value={typed} onChange={(event) => setTyped(event.target.value)} />
      </label>
    </ActionDialog>
  );
};

interface PlacementProps {
  readonly id: string;
  readonly placement: Schemas['Organization']['placement'];
  readonly onClose: () => void;
}

const ANY = '';

/** On which server the database has to be made. One that exists is not moved. */
export const PlacementDialog = ({ id, placement, onClose }: PlacementProps): ReactNode => {
  const api = useApi();
  const queries = useQueryClient();
  const [server, setServer] = useState(placement?.server_id ?? ANY);
  const servers = useQuery({
    queryKey: ['fleet', 'servers'],
    queryFn: () => dataOf(api.GET('/admin/servers')),
  });
  const place = async (): Promise<void> => {
    await api.PATCH('/organizations/{org_id}', {
      params: { path: { org_id: id } },
      body: { placement: { server_id: server === ANY ? null : server } },
    });
    await queries.invalidateQueries({ queryKey: ['fleet'] });
    toast(`The database of ${id} has to be on ${server === ANY ? 'any server' : server}.`);
  };
  return (
    <ActionDialog
      title={`Where the database of ${id} has to be`}
      act="Save"
      perform={place}
      onClose={onClose}
    >
      <p>This counts when the database is made. One that exists stays where it is.</p>
      <label>
        Server
        <select value={server} onChange={(event) => setServer(event.target.value)}>
          <option value={ANY}>any</option>
          {(servers.data?.items ?? []).map(({ server_id: name, status }) => (
            <option key={name} value={name}>
              {status === 'active' ? name : `${name} (${status})`}
            </option>
          ))}
        </select>
      </label>
    </ActionDialog>
  );
};
