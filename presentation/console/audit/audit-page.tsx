import type { ReactNode } from 'react';
import { useContextOfPages } from '../api/client.ts';
import { Page } from '../ui/page.tsx';
import { AuditList } from './audit-list.tsx';

/** Of the platform, or of the organization whose pages these are. */
export const AuditPage = (): ReactNode => (
  <Page
    title="Audit trail"
    lead="Who did what, newest first. Entries are never changed; each names the one before it."
  >
    <AuditList organizationId={useContextOfPages()} />
  </Page>
);
