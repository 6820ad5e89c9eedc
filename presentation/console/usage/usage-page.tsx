import type { ReactNode } from 'react';
import { useContextOfPages } from '../api/client.ts';
import { usePerson } from '../session.ts';
import { Page } from '../ui/page.tsx';
import { Usage } from './usage.tsx';

/** Of the organization whose pages these are. */
export const UsagePage = (): ReactNode => {
  const context = useContextOfPages() ?? '';
  const { memberships } = usePerson();
  const isAdmin = memberships.some(({ org_id: id, roles }) => id === context && roles.includes('org_admin'));
  return (
    <Page title="Usage" lead="What the organization has used, day by day.">
      {isAdmin ? (
        <Usage organizationId={context} />
      ) : (
        <p className="empty">
          Administrators of the organization (role <code>org_admin</code>) see what it uses. Ask one of them
          for the role.
        </p>
      )}
    </Page>
  );
};
