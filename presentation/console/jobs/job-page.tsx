import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { useState, type ReactNode } from 'react';
import { dataOf, useApi, useContextOfPages, type Schemas } from '../api/client.ts';
import { useFallbackRefresh } from '../live.ts';
import { PosePanel } from '../pose/pose-panel.tsx';
import { fileHash } from '../pose/pose-files.ts';
import { oneOf, textIn, useSearchOf, type RawSearch } from '../shell/search.ts';
import { Badge } from '../ui/badge.tsx';
import { CopyButton } from '../ui/copy.tsx';
import { Loaded } from '../ui/loading.tsx';
import { Facts, Page, Section } from '../ui/page.tsx';
import { SaveButton } from '../ui/save-button.tsx';
import { Moment } from '../ui/time.tsx';
import { Attempts } from './attempts.tsx';
import { CancelJobDialog, RetryButton } from './job-actions.tsx';
import { JobLog } from './job-log.tsx';
import { QueueNotices } from './queue-notices.tsx';
import { Took } from './took.tsx';

const TABS = ['poses', 'log', 'inputs', 'attempts'] as const;
type Tab = (typeof TABS)[number];

const readSearch = (raw: RawSearch) => ({
  tab: oneOf(raw, 'tab', TABS),
  pose: textIn(raw, 'pose'),
  show: textIn(raw, 'show'),
});

type Job = Schemas['Job'];

export const JobPage = (): ReactNode => {
  const api = useApi();
  const context = useContextOfPages();
  const params: { readonly jobId?: string } = useParams({ strict: false });
  const jobId = params.jobId ?? '';
  const query = useQuery({
    queryKey: ['o', context, 'job', jobId],
    queryFn: () => dataOf(api.GET('/jobs/{job_id}', { params: { path: { job_id: jobId } } })),
    refetchInterval: useFallbackRefresh(),
  });
  return <Loaded query={query}>{(job) => <LoadedJob key={job.job_id} job={job} />}</Loaded>;
};

const LoadedJob = ({ job }: { readonly job: Job }): ReactNode => {
  const orgId = useContextOfPages() ?? '';
  const [search, change] = useSearchOf(readSearch);
  const [canceling, setCanceling] = useState(false);
  const { job_id: jobId, label, status } = job;
  const isOpen = status === 'PENDING' || status === 'RUNNING';
  const tab: Tab = search.tab ?? (status === 'COMPLETED' ? 'poses' : status === 'PENDING' ? 'inputs' : 'log');
  return (
    <Page
      title={label ?? 'A docking job'}
      tab={label ?? jobId}
      actions={
        <>
          {isOpen && <button onClick={() => setCanceling(true)}>Cancel…</button>}
          {(status === 'FAILED' || status === 'CANCELED') && <RetryButton job={job} />}
          <Link className="button" to="/o/$orgId/submit" params={{ orgId }} search={{ from: jobId }}>
            Dock again, with changes
          </Link>
        </>
      }
    >
      <div className="stack">
        <Standing job={job} />
        <Facts of={factsOf(job, orgId)} />
      </div>
      <nav className="tabs section" aria-label="About this job">
        {TABS.map((each) => (
          <Link
            key={each}
            to="."
            search={(now: object) => ({ ...now, tab: each })}
            aria-current={each === tab ? 'page' : undefined}
            activeProps={{}}
          >
            {TAB_NAMES[each]}
          </Link>
        ))}
      </nav>
      {tab === 'poses' && <Poses job={job} search={search} onChange={change} />}
      {tab === 'log' && <JobLog job={job} />}
      {tab === 'inputs' && <Inputs job={job} />}
      {tab === 'attempts' && <Attempts jobId={jobId} />}
      {canceling && <CancelJobDialog job={job} onClose={() => setCanceling(false)} />}
    </Page>
  );
};

const TAB_NAMES: Readonly<Record<Tab, string>> = {
  poses: 'Poses',
  log: 'Log',
  inputs: 'Inputs',
  attempts: 'Attempts',
};

/** Where the job stands, since when, and what comes next. */
const Standing = ({ job }: { readonly job: Job }): ReactNode => {
  const { status, error, error_code: code, progress, lease, cache, attempt, max_attempts: most } = job;
  return (
    <>
      <p className="row">
        <Badge state={status} />
        {status === 'RUNNING' && (
          <>
            {lease !== null && <span>by {lease.worker}</span>}
            {progress?.fraction !== undefined && (
              <meter min={0} max={1} value={progress.fraction} aria-label="Progress" />
            )}
            {progress?.message !== undefined && <span>{progress.message}</span>}
          </>
        )}
        {cache.hit && <span>A finished job with the same inputs answered. Nothing had to be docked.</span>}
        {status === 'PENDING' && attempt > 0 && (
          <span>
            {attempt} of {most} attempts did not succeed; the next begins by itself.
          </span>
        )}
      </p>
      {status === 'PENDING' && <QueueNotices engine={job.engine} />}
      {status === 'FAILED' && (
        <div className="problem">
          <strong>{code ?? 'Failed'}</strong>
          {error !== null && <p>{error}</p>}
          {NEXT[code ?? ''] !== undefined && <p>{NEXT[code ?? '']}</p>}
        </div>
      )}
    </>
  );
};

/** What somebody does about a failure. */
const NEXT: Readonly<Record<string, string>> = {
  unsupported_input: 'The same inputs fail again. Use “Dock again, with changes”.',
  no_poses: 'The ligand fits nowhere in the box. Is the box around the binding site, and large enough?',
  attempts_exhausted:
    'Every worker fell silent with it. The ligand may need more memory than workers have; retry once.',
  no_capable_worker: 'No worker could run it. Ask whoever runs the workers.',
};

const factsOf = (job: Job, orgId: string): Readonly<Record<string, ReactNode>> => ({
  Submitted: <Moment at={job.created_at} />,
  Took: job.started_at === null || job.cache.hit ? null : <Took job={job} />,
  Engine: job.engine,
  Campaign:
    job.campaign_id === null ? null : (
      <Link to="/o/$orgId/campaigns/$campaignId" params={{ orgId, campaignId: job.campaign_id }}>
        its ranking
      </Link>
    ),
  'Answered by':
    job.cache.canonical_job_id === null || !job.cache.hit ? null : (
      <Link to="/o/$orgId/jobs/$jobId" params={{ orgId, jobId: job.cache.canonical_job_id }}>
        the job that was docked
      </Link>
    ),
  'Retry of':
    job.retry_of === null ? null : (
      <Link to="/o/$orgId/jobs/$jobId" params={{ orgId, jobId: job.retry_of }}>
        an earlier job
      </Link>
    ),
  Id: (
    <>
      <code>{job.job_id.slice(0, 13)}…</code>
      <CopyButton text={job.job_id} what="the id" />
    </>
  ),
});

interface PosesProps {
  readonly job: Job;
  readonly search: ReturnType<typeof readSearch>;
  readonly onChange: (change: {
    readonly pose?: string | undefined;
    readonly show?: string | undefined;
  }) => void;
}

const Poses = ({ job, search, onChange }: PosesProps): ReactNode =>
  job.status === 'COMPLETED' ? (
    <PosePanel jobId={job.job_id} search={search} onChange={onChange} />
  ) : (
    <p className="empty">Poses are here when the job has completed.</p>
  );

const Inputs = ({ job }: { readonly job: Job }): ReactNode => (
  <div className="stack">
    {Object.entries(job.inputs).map(([name, input]) => {
      const hash = fileHash(input);
      const called = nameOf(input) ?? `${name}.pdbqt`;
      return (
        <div key={name} className="row">
          <strong>{name}</strong>
          {hash === null ? (
            <code>{JSON.stringify(input)}</code>
          ) : (
            <>
              <span>{called}</span>
              <SaveButton path={`/files/${hash}`} name={called}>
                Download
              </SaveButton>
              <CopyButton text={`sha256:${hash}`} what="its SHA-256" />
            </>
          )}
        </div>
      );
    })}
    <Section title="Parameters">
      <Facts
        of={Object.fromEntries(
          Object.entries(job.params).map(([name, value]) => [name, JSON.stringify(value)]),
        )}
      />
    </Section>
    <p className="row faint">
      <span>
        Input signature <code>{job.input_signature.slice(0, 16)}…</code>: equal ones have equal results.
      </span>
      <CopyButton text={job.input_signature} what="the input signature" />
    </p>
  </div>
);

const nameOf = (input: unknown): string | null =>
  typeof input === 'object' && input !== null && 'name' in input && typeof input.name === 'string'
    ? input.name
    : null;
