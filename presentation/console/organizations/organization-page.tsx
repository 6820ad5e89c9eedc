import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { dataOf, useApi } from '../api/client.ts';
import { AuditList } from '../audit/audit-list.tsx';
import { useRefresh } from '../live.ts';
import { Members } from '../people/members.tsx';
import { oneOf, useSearchOf, type RawSearch } from '../shell/search.ts';
import { CopyButton } from '../ui/copy.tsx';
import { Loaded } from '../ui/loading.tsx';
import { Page } from '../ui/page.tsx';
import { Tabs } from '../ui/tabs.tsx';
import { Usage } from '../usage/usage.tsx';
import { Settings } from '../settings/settings.tsx';
import { OrganizationOverview } from './organization-overview.tsx';

const TABS = {
  overview: 'Overview',
  settings: 'Settings',
  members: 'Members',
  usage: 'Usage',
  audit: 'Audit trail',
};

const readSearch = (raw: RawSearch) => ({
  tab: oneOf(raw, 'tab', ['overview', 'settings', 'members', 'usage', 'audit']),
});

export const OrganizationPage = (): ReactNode => {
  const { orgId = '' } = useParams({ strict: false });
  const api = useApi();
  const [{ tab = 'overview' }] = useSearchOf(readSearch);
  const query = useQuery({
    queryKey: ['fleet', 'organization', orgId],
    queryFn: () => dataOf(api.GET('/organizations/{org_id}', { params: { path: { org_id: orgId } } })),
    // The other parts ask for themselves.
    enabled: tab === 'overview',
    refetchInterval: useRefresh(),
  });
  return (
    <Page
      title={query.data === undefined ? orgId : `${orgId} · ${query.data.name}`}
      tab={orgId}
      actions={<CopyButton text={orgId} what="the id" />}
    >
      <Tabs label="Parts of the organization" tabs={TABS} chosen={tab} />
      {tab === 'overview' && (
        <Loaded query={query}>
          {(organization) => <OrganizationOverview organization={organization} />}
        </Loaded>
      )}
      {tab === 'settings' && <Settings organizationId={orgId} />}
      {tab === 'members' && <Members organizationId={orgId} />}
      {tab === 'usage' && <Usage organizationId={orgId} />}
      {tab === 'audit' && <AuditList organizationId={orgId} />}
    </Page>
  );
};
