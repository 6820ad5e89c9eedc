import { useQuery } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { dataOf, useApi, useContextOfPages, type Schemas } from '../api/client.ts';
import { Loaded } from '../ui/loading.tsx';
import { SaveButton } from '../ui/save-button.tsx';
import { useAttempts, type Attempt } from './attempts.tsx';
import './jobs.css';

type Job = Schemas['Job'];

/** The end of what the engine said, of the latest attempt; and the whole of it, where the worker kept it. */
export const JobLog = ({ job }: { readonly job: Job }): ReactNode => (
  <Loaded query={useAttempts(job.cache.hit ? (job.cache.canonical_job_id ?? job.job_id) : job.job_id)}>
    {({ items }) => <Tail job={job} attempt={items.at(-1)} />}
  </Loaded>
);

const Tail = ({ job, attempt }: { readonly job: Job; readonly attempt: Attempt | undefined }): ReactNode => {
  const [wraps, setWraps] = useState(true);
  const [wanted, setWanted] = useState('');
  const whole = useLogFile(job.job_id, job.status);
  const text = attempt?.log_tail ?? null;
  const lines = text?.split('\n') ?? [];
  const found = lines.filter((line) => line.toLowerCase().includes(wanted.toLowerCase()));
  return (
    <div className="stack">
      <div className="row">
        {text !== null && (
          <>
            <label className="check">
              <input type="checkbox" checked={wraps} onChange={({ target }) => setWraps(target.checked)} />
              Wrap lines
            </label>
            <label className="inline">
              <span>Only lines with</span>
              <input
                type="search"
                data-filter=""
                value={wanted}
                onChange={({ target }) => setWanted(target.value)}
              />
            </label>
          </>
        )}
        {whole !== null && (
          <SaveButton path={`/jobs/${whole.job_id}/artifacts/${whole.artifact_id}/content`} name={whole.name}>
            Whole log
          </SaveButton>
        )}
      </div>
      {text === null ? (
        <p className="empty">{nothingYet(job, attempt)}</p>
      ) : (
        // The log scrolls by itself: who has no mouse has to reach it.
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        <pre className={wraps ? 'log wraps' : 'log'} tabIndex={0} aria-label="The end of the log">
          {found.length === 0 ? 'No line has that.' : found.join('\n')}
        </pre>
      )}
    </div>
  );
};

const nothingYet = ({ status }: Job, attempt: Attempt | undefined): string => {
  if (attempt === undefined) return 'No worker has taken this job, so nothing was logged.';
  return status === 'RUNNING'
    ? 'The log comes when the attempt has ended. Until then, the progress above says how far it is.'
    : 'The worker sent no log.';
};

const useLogFile = (jobId: string, status: string): Schemas['Artifact'] | null => {
  const api = useApi();
  const { data } = useQuery({
    queryKey: ['o', useContextOfPages(), 'job', jobId, 'artifacts', status],
    queryFn: () =>
      dataOf(
        api.GET('/jobs/{job_id}/artifacts', {
          params: { path: { job_id: jobId }, query: { limit: 200 } },
        }),
      ),
  });
  return data?.items.findLast(({ purpose }) => purpose === 'log') ?? null;
};
