import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useContextOfPages } from '../api/client.ts';
import { usePerson } from '../session.ts';
import { Facts, Page, Section } from '../ui/page.tsx';

export const HomePage = (): ReactNode => {
  const context = useContextOfPages() ?? '';
  const { email, memberships } = usePerson();
  const roles = memberships.find(({ org_id: id }) => id === context)?.roles ?? [];
  const home = `/o/${encodeURIComponent(context)}`;
  return (
    <Page title={context}>
      <Facts of={{ 'You are': email, Roles: roles.join(', ') }} />
      {roles.includes('member') && (
        <Section title="Begin here">
          <ul>
            <li>
              <Link to={`${home}/submit`}>Dock ligands</Link>: choose a receptor, ligands and a search box.
            </li>
            <li>
              <Link to={`${home}/campaigns`}>Campaigns</Link>: ligands by their affinity, with their poses in
              3D.
            </li>
            <li>
              <Link to={`${home}/jobs`}>Jobs</Link>: what waits, what runs, and what came of the others.
            </li>
          </ul>
        </Section>
      )}
    </Page>
  );
};
