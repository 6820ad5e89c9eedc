import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Schemas } from '../api/client.ts';
import { Badge } from '../ui/badge.tsx';
import { Section } from '../ui/page.tsx';
import { nextStepOf } from './next-steps.ts';

type Attention = Schemas['Attention'];

/** What is wrong, the worst first, each with the next step and the page where it is taken. */
export const NeedsYou = ({ items }: { readonly items: readonly Attention[] }): ReactNode => (
  <Section title="Needs you">
    {items.length === 0 ? (
      <p className="empty">
        <span>
          <Badge state="good" tone="good">
            nothing
          </Badge>{' '}
          Everything is as it should be.
        </span>
      </p>
    ) : (
      <ul className="attention">
        {items.map((item) => (
          <Item key={`${item.code}${item.server_id}${item.run_id}${item.sentence}`} {...item} />
        ))}
      </ul>
    )}
  </Section>
);

/**
 * What is wrong with one organization, as far as the stream of the fleet has told it: nothing is asked for. Without a stream it
 * shows nothing.
 */
export const OrganizationNeedsYou = ({ organizationId }: { readonly organizationId: string }): ReactNode => {
  const { data } = useQuery<Schemas['Overview']>({ queryKey: ['fleet', 'overview'], enabled: false });
  const items = data?.needs_you.filter(({ sample }) => sample.includes(organizationId)) ?? [];
  if (items.length === 0) return null;
  return (
    <ul className="attention">
      {items.map((item) => (
        <Item key={`${item.code}${item.sentence}`} {...item} />
      ))}
    </ul>
  );
};

const Item = (item: Attention): ReactNode => (
  <li className={item.severity}>
    <span>
      <Badge state={item.severity} />
    </span>
    <div>
      <strong>{item.sentence}</strong>
      <p>{nextStepOf(item)}</p>
      {item.sample.length > 0 && (
        <p className="row">
          {item.sample.map((id) => (
            <Link key={id} to="/fleet/organizations/$orgId" params={{ orgId: id }}>
              {id}
            </Link>
          ))}
          {(item.organizations ?? 0) > item.sample.length && <span className="faint">and more</span>}
        </p>
      )}
    </div>
    <PlaceOf {...item} />
  </li>
);

const PlaceOf = ({ code, server_id: serverId, run_id: runId }: Attention): ReactNode => {
  if (runId !== null)
    return (
      <Link to="/fleet/migrations/$runId" params={{ runId: String(runId) }}>
        Open run {runId}
      </Link>
    );
  if (/^(?:databases_missing|findings|servers_not_compared|organizations_failing)$/.test(code))
    return <Link to="/fleet/findings">Open findings</Link>;
  if (code.startsWith('schema_')) return <Link to="/fleet/migrations">Open migrations</Link>;
  if (code === 'databases_failed')
    return (
      <Link to="/fleet/organizations" search={{ state: 'failed' }}>
        Show them
      </Link>
    );
  if (/^(?:process_silent|changes_late|releases_differ|connections_exhausted)$/.test(code))
    return <Link to="/fleet/processes">Open processes</Link>;
  if (serverId !== null || code === 'no_server_takes_databases')
    return <Link to="/fleet/servers">Open servers</Link>;
  return null;
};
