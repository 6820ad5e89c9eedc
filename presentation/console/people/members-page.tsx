import type { ReactNode } from 'react';
import { useContextOfPages } from '../api/client.ts';
import { Page } from '../ui/page.tsx';
import { Members } from './members.tsx';

/** Of the organization whose pages these are. */
export const MembersPage = (): ReactNode => (
  <Page title="Members" lead="Who belongs to the organization, and what each may do.">
    <Members organizationId={useContextOfPages() ?? ''} />
  </Page>
);
