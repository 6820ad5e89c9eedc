import type { ReactNode } from 'react';
import type { Schemas } from '../api/client.ts';
import { duration } from '../format.ts';
import { useNow } from '../ui/time.tsx';

/** How long a job ran, or has run so far. */
export const Took = ({
  job: { started_at: started, completed_at: completed, status, cache },
}: {
  readonly job: Pick<Schemas['JobSummary'], 'started_at' | 'completed_at' | 'status' | 'cache'>;
}): ReactNode => {
  const now = useNow();
  if (started === null || cache.hit) return '';
  const end = completed === null ? (status === 'RUNNING' ? now : null) : Date.parse(completed);
  return end === null ? '' : duration(Math.max(0, end - Date.parse(started)));
};
