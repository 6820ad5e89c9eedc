import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useState, type ReactNode } from 'react';
import { dataOf, useApi, type Schemas } from '../api/client.ts';
import { textIn, useSearchOf, type RawSearch } from '../shell/search.ts';
import { Badge } from '../ui/badge.tsx';
import { ActionDialog, type Said } from '../ui/dialog.tsx';
import { SearchBox } from '../ui/filters.tsx';
import { Loaded } from '../ui/loading.tsx';
import { Page } from '../ui/page.tsx';
import { Pager } from '../ui/pager.tsx';
import { RowLink } from '../ui/row-link.tsx';
import { Table, type Column } from '../ui/table.tsx';
import { Age } from '../ui/time.tsx';
import { toast } from '../ui/toast.tsx';

type User = Schemas['User'];

const readSearch = (raw: RawSearch) => ({ q: textIn(raw, 'q'), after: textIn(raw, 'after') });

export const PeoplePage = (): ReactNode => {
  const api = useApi();
  const [search, change] = useSearchOf(readSearch);
  const [creating, setCreating] = useState(false);
  const query = useQuery({
    queryKey: ['fleet', 'users', search],
    queryFn: () =>
      dataOf(
        api.GET('/users', {
          params: {
            query: {
              limit: 100,
              ...(search.q !== undefined && { q: search.q }),
              ...(search.after !== undefined && { cursor: search.after }),
            },
          },
        }),
      ),
    placeholderData: keepPreviousData,
  });
  const ask = useCallback((q: string | undefined) => change({ q }), [change]);
  return (
    <Page
      title="People"
      lead="Accounts of this deployment. Which organizations somebody belongs to, the organizations' pages say."
      actions={
        <button className="primary" onClick={() => setCreating(true)}>
          New account
        </button>
      }
    >
      <div className="filters">
        <SearchBox label="Email begins with" value={search.q} onChange={ask} />
      </div>
      <Loaded query={query}>
        {({ items, next_cursor: next }) => (
          <>
            <Table
              label="People"
              columns={COLUMNS}
              rows={items}
              rowKey={({ user_id: id }) => id}
              empty="Nobody is like that."
            />
            <Pager after={search.after} next={next} shown={items.length} />
          </>
        )}
      </Loaded>
      {creating && <CreateDialog onClose={() => setCreating(false)} />}
    </Page>
  );
};

const COLUMNS: readonly Column<User>[] = [
  {
    head: 'Email',
    cell: ({ user_id: userId, email }) => (
      <RowLink to="/fleet/people/$userId" params={{ userId }}>
        {email}
      </RowLink>
    ),
  },
  { head: 'Status', width: '7rem', cell: ({ status }) => <Badge state={status} /> },
  { head: 'Operator', cell: ({ platform_admin: isOperator }) => (isOperator ? 'yes' : '') },
  {
    head: 'Password',
    minor: true,
    cell: (user) =>
      user.has_password
        ? user.must_change_password
          ? 'has to be changed'
          : 'set'
        : 'none: logs in elsewhere',
  },
  { head: 'Since', minor: true, cell: ({ created_at: at }) => <Age at={at} /> },
];

const CreateDialog = ({ onClose }: { readonly onClose: () => void }): ReactNode => {
  const api = useApi();
  const queries = useQueryClient();
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [isOperator, setIsOperator] = useState(false);
  const create = async ({ headers }: Said): Promise<void> => {
    await api.POST('/users', {
      headers,
      body: { email, platform_admin: isOperator, ...(password !== '' && { password }) },
    });
    await queries.invalidateQueries({ queryKey: ['fleet'] });
    toast(`${email} has an account.`);
  };
  return (
    <ActionDialog
      title="New account"
      act="Make it"
      perform={create}
      onClose={onClose}
      disabled={email === ''}
      {...(isOperator && { type: email })}
    >
      <label>
        Email
        <input
          type="email"
          required
          value={email}
          autoComplete="off"
          onChange={(event) => setEmail(event.target.value)}
        />
      </label>
      <label>
        First password: it has to be changed at the first login. Empty for who logs in elsewhere
        <input value={password} autoComplete="off" onChange={(event) => setPassword(event.target.value)} />
      </label>
      <label className="check">
        <input
          type="checkbox"
          checked={isOperator}
          onChange={({ target }) => setIsOperator(target.checked)}
        />
        is an operator of the platform: sees these pages, and no results
      </label>
    </ActionDialog>
  );
};
