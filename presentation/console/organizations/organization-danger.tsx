import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { dataOf, useApi, type Schemas } from '../api/client.ts';
import { Dialog, ActionDialog, type Said } from '../ui/dialog.tsx';
import { Loaded } from '../ui/loading.tsx';
import { Facts, Section } from '../ui/page.tsx';
import { toast } from '../ui/toast.tsx';

interface DangerProps {
  readonly organizationId: string;
}

/** What cannot be undone stands apart from what is done every day. */
export const OrganizationDanger = ({ organizationId: id }: DangerProps): ReactNode => {
  const [isOpen, setOpen] = useState(false);
  return (
    <Section title="Danger">
      <div className="panel danger-zone row spread">
        <span>
          Put the database aside with all results, and begin with an empty one. Also when the server has lost
          it for good.
        </span>
        <button onClick={() => setOpen(true)}>Retire the database…</button>
      </div>
      {isOpen && <RetireDialog organizationId={id} onClose={() => setOpen(false)} />}
    </Section>
  );
};

interface RetireProps extends DangerProps {
  readonly onClose: () => void;
}

/** Asks for the numbers when it opens: those of the page may be a moment old. */
const RetireDialog = ({ organizationId: id, onClose }: RetireProps): ReactNode => {
  const api = useApi();
  const query = useQuery({
    queryKey: ['fleet', 'retirement', id],
    queryFn: () => dataOf(api.GET('/admin/databases/{org_id}', { params: { path: { org_id: id } } })),
    gcTime: 0,
    staleTime: 0,
  });
  if (query.data === undefined)
    return (
      <Dialog title={`Retire the database of ${id}`} onClose={onClose}>
        <Loaded query={query}>{() => null}</Loaded>
      </Dialog>
    );
  return <ConfirmRetirement database={query.data} onClose={onClose} />;
};

interface ConfirmProps {
  readonly database: Schemas['Database'];
  readonly onClose: () => void;
}

const ConfirmRetirement = ({ database, onClose }: ConfirmProps): ReactNode => {
  const { org_id: id, database: name, generation, pool } = database;
  const api = useApi();
  const queries = useQueryClient();
  const retire = async ({ headers }: Said): Promise<void> => {
    const { renamed_to: aside } = await dataOf(
      api.POST('/admin/databases/{org_id}/retire', {
        headers,
        params: { path: { org_id: id } },
        body: { seen_generation: generation },
      }),
    );
    await queries.invalidateQueries();
    toast(
      aside === null ? `The database of ${id} was gone already.` : `The database of ${id} is now ${aside}.`,
    );
  };
  return (
    <ActionDialog
      title={`Retire the database of ${id}`}
      act="Retire it"
      type={id}
      perform={retire}
      onClose={onClose}
    >
      <p>
        <strong>{id} loses all its jobs and results from sight.</strong> The database gets another name, under
        which nothing serves it, and keeps its data. The next request makes an empty one. Only a command
        brings the old one back: <code>mad databases adopt {id} --from …</code> What the server does not have
        any more is not kept: restore it first if there is a backup.
      </p>
      <Facts
        of={{
          Database: <code>{name}</code>,
          Server: database.server_id,
          'Schema version': database.schema_version ?? 'none yet',
          Generation: generation,
          'In use now':
            pool === null
              ? 'by nobody, in this process'
              : `${pool.in_use} connections, ${pool.waiting} requests wait`,
        }}
      />
      {(pool?.in_use ?? 0) > 0 && <p className="notice">Requests that run now end with an error.</p>}
    </ActionDialog>
  );
};
