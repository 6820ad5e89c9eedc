import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState, type ReactNode } from 'react';
import { dataOf, useApi, type Schemas } from '../api/client.ts';
import { number } from '../format.ts';
import { ActionDialog } from '../ui/dialog.tsx';
import { Loaded } from '../ui/loading.tsx';
import { Facts } from '../ui/page.tsx';
import { toast } from '../ui/toast.tsx';

interface PlanDialogProps {
  /** The latest run that is shown: when another one was begun meanwhile, the start is refused. */
  readonly seenRunId: number | null;
  readonly onClose: () => void;
}

/** Shows what a migration would do, as it stands now, and begins it. */
export const PlanDialog = ({ seenRunId, onClose }: PlanDialogProps): ReactNode => {
  const api = useApi();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const [canaries, setCanaries] = useState('1');
  const [wave, setWave] = useState('25%');
  const [budget, setBudget] = useState('5%');
  const body = {
    kind: 'migrate',
    canaries: Number(canaries),
    wave: amount(wave),
    error_budget: amount(budget),
  } as const;
  const plan = useQuery({
    queryKey: ['fleet', 'plan', body],
    queryFn: () => dataOf(api.POST('/admin/migrations', { body: { ...body, dry_run: true } })),
    gcTime: 0,
  });
  const begin = async (): Promise<void> => {
    const { run } = await dataOf(
      api.POST('/admin/migrations', { body: { ...body, dry_run: false, seen_run_id: seenRunId } }),
    );
    await queries.invalidateQueries({ queryKey: ['fleet'] });
    if (run === null) return toast('Nothing is to be migrated.');
    toast(`Run ${run.run_id} has begun.`);
    await navigate({ to: '/fleet/migrations/$runId', params: { runId: String(run.run_id) } });
  };
  const organizations = plan.data?.plan.organizations ?? 0;
  return (
    <ActionDialog
      title="Plan a migration"
      act={`Migrate ${number(organizations)} ${organizations === 1 ? 'organization' : 'organizations'}`}
      perform={begin}
      onClose={onClose}
      disabled={organizations === 0}
    >
      <div className="filters">
        <label>
          Canaries
          <input
            size={5}
            inputMode="numeric"
            value={canaries}
            onChange={(event) => setCanaries(event.target.value)}
          />
        </label>
        <label>
          Each wave: a number or a share
          <input size={8} value={wave} onChange={(event) => setWave(event.target.value)} />
        </label>
        <label>
          Failures before it halts
          <input size={8} value={budget} onChange={(event) => setBudget(event.target.value)} />
        </label>
      </div>
      <Loaded query={plan}>{({ plan: planned }) => <Planned {...planned} />}</Loaded>
    </ActionDialog>
  );
};

const amount = (text: string): number | string => (text.trim().endsWith('%') ? text.trim() : Number(text));

const Planned = ({
  target_version: target,
  organizations,
  waves,
  sample,
  skipped,
}: Schemas['StartedMigration']['plan']): ReactNode => (
  <>
    <Facts
      of={{
        'To schema': target,
        Organizations: number(organizations),
        Waves: waves.length === 0 ? 'none' : waves.map(number).join(' · '),
        'Current already': number(skipped.current),
        'Newer than that': skipped.ahead === 0 ? null : number(skipped.ahead),
        'Not ready': skipped.not_ready === 0 ? null : number(skipped.not_ready),
        'Without a database': number(skipped.no_database),
      }}
    />
    {sample.length > 0 ? (
      <details>
        <summary>The first {sample.length}, in the order of the waves</summary>
        <p>{sample.join(', ')}</p>
      </details>
    ) : (
      <p>Nothing is to be migrated: all databases have schema {target}.</p>
    )}
    {organizations > 0 && (
      <p>
        While its database is migrated, an organization's writes may wait for seconds; the others notice
        nothing. A failing canary halts the run at once.
      </p>
    )}
  </>
);
