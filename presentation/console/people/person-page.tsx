import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { useState, type ReactNode } from 'react';
import { dataOf, useApi, type Schemas } from '../api/client.ts';
import { useRefresh } from '../live.ts';
import { Badge } from '../ui/badge.tsx';
import { CopyButton } from '../ui/copy.tsx';
import { Loaded } from '../ui/loading.tsx';
import { Facts, Page, Section } from '../ui/page.tsx';
import { Table, type Column } from '../ui/table.tsx';
import { Age, Moment } from '../ui/time.tsx';
import { EndSessionsDialog, type Session } from './end-sessions-dialog.tsx';
import { UserDialog } from './user-dialog.tsx';

/** One account: what it may do, where it is logged in. */
export const PersonPage = (): ReactNode => {
  const { userId = '' } = useParams({ strict: false });
  const api = useApi();
  const query = useQuery({
    queryKey: ['fleet', 'user', userId],
    queryFn: () => dataOf(api.GET('/users/{user_id}', { params: { path: { user_id: userId } } })),
  });
  const email = query.data?.email ?? 'Account';
  return (
    <Page
      title={email}
      lead={<Link to="/fleet/people">All people</Link>}
      actions={<CopyButton text={userId} what="the id" />}
    >
      <Loaded query={query}>{(user) => <Person user={user} />}</Loaded>
    </Page>
  );
};

const Person = ({ user }: { readonly user: Schemas['User'] }): ReactNode => {
  const api = useApi();
  const [isChanging, setChanging] = useState(false);
  /** `all`, or one of them. */
  const [ended, setEnded] = useState<Session | 'all' | null>(null);
  const { user_id: userId } = user;
  const query = useQuery({
    queryKey: ['fleet', 'user', userId, 'sessions'],
    queryFn: () => dataOf(api.GET('/users/{user_id}/sessions', { params: { path: { user_id: userId } } })),
    refetchInterval: useRefresh(),
  });
  const columns: readonly Column<Session>[] = [
    ...COLUMNS,
    {
      head: 'End it',
      cell: (session) => (
        <button aria-label={`End the session of ${session.opened_at}`} onClick={() => setEnded(session)}>
          End…
        </button>
      ),
    },
  ];
  return (
    <>
      <div className="panel stack">
        <Facts
          of={{
            Status: <Badge state={user.status} />,
            Operator: user.platform_admin ? 'yes: sees the fleet, and no results' : 'no',
            Password: user.has_password
              ? user.must_change_password
                ? 'has to be changed at the next login'
                : 'set'
              : 'none: logs in elsewhere',
            Since: <Moment at={user.created_at} />,
            Changed: <Age at={user.updated_at} />,
          }}
        />
        <div className="row">
          <Link to="/fleet/audit" search={{ scope: 'all', actor: userId }}>
            What this person did
          </Link>
          <Link to="/fleet/audit" search={{ scope: 'all', entity_id: userId }}>
            What was done to the account
          </Link>
        </div>
      </div>
      <Section title="Sessions">
        <Loaded query={query}>
          {({ items }) => (
            <Table
              label="Sessions"
              columns={columns}
              rows={items}
              rowKey={({ session_id: id }) => id}
              empty="Logged in nowhere."
            />
          )}
        </Loaded>
      </Section>
      <Section title="Danger">
        <div className="panel danger-zone stack">
          <div className="row spread">
            <span>Disable the account, make it an operator’s, or have its password changed.</span>
            <button onClick={() => setChanging(true)}>Change the account…</button>
          </div>
          <div className="row spread">
            <span>End all sessions: whoever has the password may log in again.</span>
            <button onClick={() => setEnded('all')}>End all sessions…</button>
          </div>
        </div>
      </Section>
      {isChanging && <UserDialog user={user} onClose={() => setChanging(false)} />}
      {ended !== null && <EndSessionsDialog user={user} session={ended} onClose={() => setEnded(null)} />}
    </>
  );
};

const COLUMNS: readonly Column<Session>[] = [
  { head: 'By', cell: ({ kind }) => (kind === 'browser' ? 'a browser' : 'a program, or a command') },
  { head: 'For', cell: ({ org_id: id }) => id ?? 'wherever the person may act' },
  { head: 'Opened', cell: ({ opened_at: at }) => <Age at={at} /> },
  { head: 'Used', minor: true, cell: ({ used_at: at }) => (at === null ? '' : <Age at={at} />) },
  { head: 'Ends', minor: true, cell: ({ expires_at: at }) => <Moment at={at} /> },
];
