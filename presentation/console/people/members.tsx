import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { dataOf, useApi, type Schemas } from '../api/client.ts';
import { textIn, useSearchOf, type RawSearch } from '../shell/search.ts';
import { Badge } from '../ui/badge.tsx';
import { ActionDialog } from '../ui/dialog.tsx';
import { Loaded } from '../ui/loading.tsx';
import { Pager } from '../ui/pager.tsx';
import { Table, type Column } from '../ui/table.tsx';
import { Age } from '../ui/time.tsx';
import { toast } from '../ui/toast.tsx';

type Member = Schemas['Member'];
type Role = Member['roles'][number];

const ROLES: Readonly<Record<Role, string>> = {
  org_admin: 'administers members and settings',
  member: 'submits jobs and reads results',
  worker: 'takes jobs and reports results',
};
const roleNames = Object.keys(ROLES).filter((role): role is Role => role in ROLES);

const readSearch = (raw: RawSearch) => ({ after: textIn(raw, 'after') });

/** An organization's members, for its administrators and for operators. */
export const Members = ({ organizationId }: { readonly organizationId: string }): ReactNode => {
  const api = useApi();
  const [{ after }] = useSearchOf(readSearch);
  const [changed, setChanged] = useState<Member | 'new' | null>(null);
  const [removed, setRemoved] = useState<Member | null>(null);
  const query = useQuery({
    queryKey: ['o', organizationId, 'members', after],
    queryFn: () =>
      dataOf(
        api.GET('/organizations/{org_id}/members', {
          params: {
            path: { org_id: organizationId },
            query: { limit: 100, ...(after !== undefined && { cursor: after }) },
          },
        }),
      ),
  });
  const columns: readonly Column<Member>[] = [
    ...COLUMNS,
    {
      head: 'Change',
      cell: (member) => (
        <span className="row">
          <button aria-label={`Change the roles of ${member.email}`} onClick={() => setChanged(member)}>
            Roles…
          </button>
          <button aria-label={`Remove ${member.email}`} onClick={() => setRemoved(member)}>
            Remove…
          </button>
        </span>
      ),
    },
  ];
  return (
    <>
      <p className="filters">
        <button className="primary" onClick={() => setChanged('new')}>
          Add a member
        </button>
      </p>
      <Loaded query={query}>
        {({ items, next_cursor: next }) => (
          <>
            <Table
              label="Members"
              columns={columns}
              rows={items}
              rowKey={({ user_id: id }) => id}
              empty="Nobody yet."
            />
            <Pager after={after} next={next} shown={items.length} />
          </>
        )}
      </Loaded>
      {changed !== null && (
        <RolesDialog
          organizationId={organizationId}
          member={changed === 'new' ? null : changed}
          onClose={() => setChanged(null)}
        />
      )}
      {removed !== null && (
        <RemoveDialog organizationId={organizationId} member={removed} onClose={() => setRemoved(null)} />
      )}
    </>
  );
};

const COLUMNS: readonly Column<Member>[] = [
  { head: 'Email', cell: ({ email }) => email },
  { head: 'Status', width: '8rem', cell: ({ status }) => <Badge state={status} /> },
  { head: 'Roles', cell: ({ roles }) => roles.join(', ') },
  { head: 'Since', minor: true, cell: ({ created_at: at }) => <Age at={at} /> },
];

interface RolesProps {
  readonly organizationId: string;
  /** Null: somebody who is to be added. */
  readonly member: Member | null;
  readonly onClose: () => void;
}

const RolesDialog = ({ organizationId, member, onClose }: RolesProps): ReactNode => {
  const api = useApi();
  const queries = useQueryClient();
  const [email, setEmail] = useState(member?.email ?? '');
  const [roles, setRoles] = useState<readonly Role[]>(member?.roles ?? ['member']);
  const save = async (): Promise<void> => {
    if (member === null)
      await api.POST('/organizations/{org_id}/members', {
        params: { path: { org_id: organizationId } },
        body: { email, roles: [...roles] },
      });
    else
      await api.PUT('/organizations/{org_id}/members/{user_id}', {
        params: { path: { org_id: organizationId, user_id: member.user_id } },
        body: { roles: [...roles] },
      });
    await queries.invalidateQueries({ queryKey: ['o', organizationId] });
    toast(
      member === null
        ? `${email} is invited: the membership counts when it is accepted.`
        : 'The roles are changed.',
    );
  };
  return (
    <ActionDialog
      title={member === null ? `Add a member to ${organizationId}` : `Roles of ${member.email}`}
      act={member === null ? 'Invite' : 'Save'}
      perform={save}
      onClose={onClose}
      disabled={roles.length === 0 || email === ''}
    >
      {member === null ? (
        <label>
          Email of somebody who has an account
          <input type="email" value={email} onChange={(event) => setEmail(event.target.value)} />
        </label>
      ) : (
        <p>A role that is taken away ends at once; one that is added comes with the next token.</p>
      )}
      {roleNames.map((role) => (
        <label className="check" key={role}>
          <input
            type="checkbox"
            checked={roles.includes(role)}
            onChange={({ target }) =>
              setRoles(target.checked ? [...roles, role] : roles.filter((each) => each !== role))
            }
          />
          <span>
            <strong>{role}</strong> {ROLES[role]}
          </span>
        </label>
      ))}
    </ActionDialog>
  );
};

interface RemoveProps {
  readonly organizationId: string;
  readonly member: Member;
  readonly onClose: () => void;
}

const RemoveDialog = ({ organizationId, member, onClose }: RemoveProps): ReactNode => {
  const api = useApi();
  const queries = useQueryClient();
  const remove = async (): Promise<void> => {
    await api.DELETE('/organizations/{org_id}/members/{user_id}', {
      params: { path: { org_id: organizationId, user_id: member.user_id } },
    });
    await queries.invalidateQueries({ queryKey: ['o', organizationId] });
    toast(`${member.email} is no member of ${organizationId} any more.`);
  };
  return (
    <ActionDialog title={`Remove ${member.email}`} act="Remove" perform={remove} onClose={onClose}>
      <p>The membership ends, and with it the tokens that were made for it, at once. The account stays.</p>
    </ActionDialog>
  );
};
