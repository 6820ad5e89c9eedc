import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useRef, useState, type ReactNode } from 'react';
import { dataOf, newIdempotencyKey, useApi, useContextOfPages, type Schemas } from '../api/client.ts';
import { ActionDialog } from '../ui/dialog.tsx';
import { Problem } from '../ui/problem.tsx';
import { toast } from '../ui/toast.tsx';

type Job = Schemas['Job'];

export const CancelJobDialog = ({
  job,
  onClose,
}: {
  readonly job: Job;
  readonly onClose: () => void;
}): ReactNode => {
  const api = useApi();
  const context = useContextOfPages();
  const queries = useQueryClient();
  const cancel = async (): Promise<void> => {
    const { canceled } = await dataOf(api.POST('/jobs/cancel', { body: { job_ids: [job.job_id] } }));
    await queries.invalidateQueries({ queryKey: ['o', context] });
    toast(canceled === 1 ? 'The job is canceled.' : 'The job was done before, or is not yours to cancel.');
  };
  return (
    <ActionDialog title="Cancel this job" act="Cancel the job" perform={cancel} onClose={onClose}>
      <p>
        {job.status === 'RUNNING'
          ? 'A worker is docking it. It hears of this within a minute, and what it has found so far is dropped.'
          : 'No worker has begun with it.'}{' '}
        It can be submitted again later.
      </p>
    </ActionDialog>
  );
};

/** Submits the job anew. Sent twice, it is submitted once. */
export const RetryButton = ({ job }: { readonly job: Job }): ReactNode => {
  const api = useApi();
  const orgId = useContextOfPages() ?? '';
  const navigate = useNavigate();
  const key = useRef<string>(null);
  const [state, setState] = useState<{ readonly busy: boolean; readonly error: unknown }>({
    busy: false,
    error: null,
  });
  const retry = async (): Promise<void> => {
    setState({ busy: true, error: null });
    key.current ??= newIdempotencyKey();
    try {
      const made = await dataOf(
        api.POST('/jobs/{job_id}/retry', {
          params: { path: { job_id: job.job_id }, header: { 'Idempotency-Key': key.current } },
        }),
      );
      toast('Submitted again, as a job of its own.');
      await navigate({ to: '/o/$orgId/jobs/$jobId', params: { orgId, jobId: made.job_id } });
    } catch (error) {
      setState({ busy: false, error });
    }
  };
  return (
    <>
      <button className="primary" disabled={state.busy} onClick={() => void retry()}>
        Retry
      </button>
      {state.error !== null && <Problem error={state.error} />}
    </>
  );
};
