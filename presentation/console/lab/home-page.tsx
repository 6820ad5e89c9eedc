import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { dataOf, useApi, useContextOfPages } from '../api/client.ts';
import { QueueNotices } from '../jobs/queue-notices.tsx';
import { useFallbackRefresh } from '../live.ts';
import { usePerson } from '../session.ts';
import { Badge } from '../ui/badge.tsx';
import { Loaded } from '../ui/loading.tsx';
import { Page, Section } from '../ui/page.tsx';
import { Age } from '../ui/time.tsx';

const FEW = 8;

/** Where a member begins: what to do, and what came of it last. */
export const HomePage = (): ReactNode => {
  const orgId = useContextOfPages() ?? '';
  const { memberships } = usePerson();
  const roles = memberships.find(({ org_id: id }) => id === orgId)?.roles ?? [];
  return (
    <Page
      title={orgId}
      lead={`You are ${roles.join(', ') || 'no member'} here.`}
      actions={
        <Link className="button primary" to="/o/$orgId/submit" params={{ orgId }}>
          Dock ligands
        </Link>
      }
    >
      <QueueNotices />
      <LatestJobs orgId={orgId} />
      <LatestCampaigns orgId={orgId} />
    </Page>
  );
};

const LatestJobs = ({ orgId }: { readonly orgId: string }): ReactNode => {
  const api = useApi();
  const query = useQuery({
    queryKey: ['o', orgId, 'jobs', 'latest'],
    queryFn: () => dataOf(api.GET('/jobs', { params: { query: { view: 'summary', limit: FEW } } })),
    refetchInterval: useFallbackRefresh(),
  });
  return (
    <Section
      title="Latest jobs"
      aside={
        <Link to="/o/$orgId/jobs" params={{ orgId }}>
          All jobs
        </Link>
      }
    >
      <Loaded query={query}>
        {({ items }) =>
          items.length === 0 ? (
            <p className="empty">
              No job yet. “Dock ligands” submits the first: bring a receptor and a ligand.
            </p>
          ) : (
            <ul className="latest">
              {items.map(({ job_id: jobId, label, status, created_at: at }) => (
                <li key={jobId}>
                  <Link to="/o/$orgId/jobs/$jobId" params={{ orgId, jobId }}>
                    {label ?? <code>{jobId.slice(0, 13)}…</code>}
                  </Link>
                  <Badge state={status} />
                  <span className="faint">
                    <Age at={at} />
                  </span>
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </Section>
  );
};

const LatestCampaigns = ({ orgId }: { readonly orgId: string }): ReactNode => {
  const api = useApi();
  const query = useQuery({
    queryKey: ['o', orgId, 'campaigns', 'latest'],
    queryFn: () => dataOf(api.GET('/campaigns', { params: { query: { limit: FEW, archived: false } } })),
    refetchInterval: useFallbackRefresh(),
  });
  return (
    <Section
      title="Latest campaigns"
      aside={
        <Link to="/o/$orgId/campaigns" params={{ orgId }}>
          All campaigns
        </Link>
      }
    >
      <Loaded query={query}>
        {({ items }) =>
          items.length === 0 ? (
            <p className="empty">No campaign yet. Dock several ligands at once, and they are ranked here.</p>
          ) : (
            <ul className="latest">
              {items.map(({ campaign_id: campaignId, name, created_at: at }) => (
                <li key={campaignId}>
                  <Link to="/o/$orgId/campaigns/$campaignId" params={{ orgId, campaignId }}>
                    {name}
                  </Link>
                  <span className="faint">
                    <Age at={at} />
                  </span>
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </Section>
  );
};
