import type { ReactNode } from 'react';
import { useContextOfPages } from '../api/client.ts';
import { usePerson } from '../session.ts';
import { Page } from '../ui/page.tsx';
import { Settings } from './settings.tsx';

/** Of the organization whose pages these are. */
export const SettingsPage = (): ReactNode => {
  const context = useContextOfPages() ?? '';
  const { memberships } = usePerson();
  const isAdmin = memberships.some(({ org_id: id, roles }) => id === context && roles.includes('org_admin'));
  return (
    <Page
      title="Settings"
      lead="What the organization may take. Each can only be less than the operators allow."
    >
      {isAdmin ? (
        <Settings organizationId={context} />
      ) : (
        <p className="empty">
          Administrators of the organization (role <code>org_admin</code>) see and change its settings. Ask
          one of them for the role.
        </p>
      )}
    </Page>
  );
};
