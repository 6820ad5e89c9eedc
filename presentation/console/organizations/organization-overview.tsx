import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState, type ReactNode } from 'react';
import { dataOf, useApi, type Schemas } from '../api/client.ts';
import { OrganizationNeedsYou } from '../fleet/needs-you.tsx';
import { useRefresh } from '../live.ts';
import { useAction } from '../ui/action.tsx';
import { Badge } from '../ui/badge.tsx';
import { Loaded } from '../ui/loading.tsx';
import { Facts, Section } from '../ui/page.tsx';
import { Problem } from '../ui/problem.tsx';
import { Age, Moment } from '../ui/time.tsx';
import { toast } from '../ui/toast.tsx';
import { OrganizationDanger } from './organization-danger.tsx';
import { PlacementDialog, RenameDialog } from './organization-dialogs.tsx';

type Organization = Schemas['Organization'];

/** What an organization is, what its database is, and what can be done to both. */
export const OrganizationOverview = ({
  organization,
}: {
  readonly organization: Organization;
}): ReactNode => {
  const { org_id: id, name, status, placement, created_at, updated_at } = organization;
  const [open, setOpen] = useState<'rename' | 'placement' | null>(null);
  const close = (): void => setOpen(null);
  return (
    <>
      <OrganizationNeedsYou organizationId={id} />
      <div className="panel stack">
        <Facts
          of={{
            Status: <Badge state={status} />,
            Registered: <Moment at={created_at} />,
            Changed: <Age at={updated_at} />,
            'Has to be on': placementText(placement),
          }}
        />
        <div className="row">
          <SuspendButton organization={organization} />
          <button onClick={() => setOpen('rename')}>Rename…</button>
          <button onClick={() => setOpen('placement')}>Where its database has to be…</button>
        </div>
      </div>
      <Section title="Database">
        <Database organizationId={id} exists={organization.database !== null} />
      </Section>
      {organization.database?.state === 'ready' && <OrganizationDanger organizationId={id} />}
      {open === 'rename' && <RenameDialog id={id} name={name} onClose={close} />}
      {open === 'placement' && <PlacementDialog id={id} placement={placement} onClose={close} />}
    </>
  );
};

const placementText = (placement: Organization['placement']): string => {
  const labels = Object.entries(placement?.labels ?? {}).map(([key, value]) => `${key}=${value}`);
  const parts = [placement?.server_id ?? [], labels].flat();
  return parts.length === 0 ? 'any server' : parts.join(', ');
};

/** Suspending can be taken back, so it asks nothing, and offers to be taken back. */
const SuspendButton = ({
  organization: { org_id: id, status },
}: {
  readonly organization: Organization;
}): ReactNode => {
  const api = useApi();
  const { busy, error, run } = useAction();
  const seeing = (seen: Organization['status']) => ({
    params: { path: { org_id: id }, query: { seen_status: seen } },
  });
  const resume = (): void =>
    run(async () => {
      await api.POST('/organizations/{org_id}/resume', seeing('suspended'));
      toast(`${id} is served again.`);
    });
  const suspend = (): void =>
    run(async () => {
      await api.POST('/organizations/{org_id}/suspend', seeing('active'));
      toast(`${id} is suspended: its results are served to nobody.`, resume);
    });
  return (
    <>
      {status === 'suspended' ? (
        <button className="primary" disabled={busy} onClick={resume}>
          Resume
        </button>
      ) : (
        <button
          disabled={busy}
          onClick={suspend}
          title="Its results are served to nobody until it is resumed"
        >
          Suspend
        </button>
      )}
      {error !== null && <Problem error={error} />}
    </>
  );
};

interface DatabaseProps {
  readonly organizationId: string;
  readonly exists: boolean;
}

const Database = ({ organizationId: id, exists }: DatabaseProps): ReactNode => {
  const api = useApi();
  const { busy, error, run } = useAction();
  const params = { path: { org_id: id } };
  const query = useQuery({
    queryKey: ['fleet', 'database', id, exists],
    queryFn: async () => (exists ? dataOf(api.GET('/admin/databases/{org_id}', { params })) : null),
    refetchInterval: useRefresh(),
  });
  const provision = (): void =>
    run(async () => {
      await api.POST('/admin/databases/{org_id}/provision', { params });
      toast(`The database of ${id} is ready.`);
    });
  const button = (label: string): ReactNode => (
    <button className="primary" disabled={busy} onClick={provision}>
      {label}
    </button>
  );
  return (
    <Loaded query={query}>
      {(database) => (
        <>
          {error !== null && <Problem error={error} />}
          {database === null ? (
            <div className="empty">
              <p>There is none yet: it is made at first use, in less than a second as a rule.</p>
              <p>{button('Make it now')}</p>
            </div>
          ) : (
            <div className="panel stack">
              <DatabaseFacts database={database} />
              {database.last_error !== null && (
                <p className="notice">
                  Last error: <code>{database.last_error}</code>
                </p>
              )}
              {database.state === 'failed' && <p>{button('Try again to make it')}</p>}
              {database.state === 'provisioning' && (
                <p className="row">{button('Make it now')} Else its next request makes it.</p>
              )}
            </div>
          )}
        </>
      )}
    </Loaded>
  );
};

const DatabaseFacts = ({ database }: { readonly database: Schemas['Database'] }): ReactNode => (
  <Facts
    of={{
      State: <Badge state={database.state} />,
      Server: <Link to="/fleet/servers">{database.server_id}</Link>,
      Name: <code>{database.database}</code>,
      'Schema version': database.schema_version ?? 'none yet',
      Generation: database.generation,
      Made: <Moment at={database.created_at} />,
      'Pool in this process':
        database.pool === null
          ? 'none: nobody has used it lately'
          : `${database.pool.open} open, ${database.pool.in_use} in use, ${database.pool.waiting} waiting`,
    }}
  />
);
