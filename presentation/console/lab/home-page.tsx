import type { ReactNode } from 'react';
import { useContextOfPages } from '../api/client.ts';
import { usePerson } from '../session.ts';
import { Facts, Page } from '../ui/page.tsx';

export const HomePage = (): ReactNode => {
  const context = useContextOfPages();
  const { email, memberships } = usePerson();
  const roles = memberships.find(({ org_id: id }) => id === context)?.roles ?? [];
  return (
    <Page title={context ?? ''}>
      <Facts of={{ 'You are': email, Roles: roles.join(', ') }} />
    </Page>
  );
};
