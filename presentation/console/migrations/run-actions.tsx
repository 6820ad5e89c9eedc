import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState, type ReactNode } from 'react';
import { dataOf, useApi, type Schemas } from '../api/client.ts';
import { number } from '../format.ts';
import { useAction } from '../ui/action.tsx';
import { ActionDialog, type Said } from '../ui/dialog.tsx';
import { Section } from '../ui/page.tsx';
import { Problem } from '../ui/problem.tsx';
import { toast } from '../ui/toast.tsx';

type Progress = Schemas['MigrationProgress'];

/** What can be done to a run. Each names what was seen of it: when it is another by now, nothing happens. */
export const RunActions = ({ run }: { readonly run: Progress }): ReactNode => {
  const { run_id: id, state, counts } = run;
  const api = useApi();
  const action = useAction();
  const [isResuming, setResuming] = useState(false);
  const params = { path: { run_id: id } };
  const pause = (): void =>
    action.run(async () => {
      await api.POST('/admin/migrations/{run_id}/pause', { params, body: { state } });
      toast(`Run ${id} is paused.`, () => resume('paused'));
    });
  const resume = (seen: Progress['state'] = state): void =>
    action.run(async () => {
      await api.POST('/admin/migrations/{run_id}/resume', { params, body: { state: seen } });
      toast(`Run ${id} goes on.`);
    });
  const retry = (): void =>
    action.run(async () => {
      await api.POST('/admin/migrations/{run_id}/retry', { params, body: { state, failed: counts.failed } });
      toast(`${number(counts.failed)} organizations are tried again.`);
    });
  return (
    <span className="row">
      {state === 'running' && (
        <button disabled={action.busy} onClick={pause}>
          Pause
        </button>
      )}
      {counts.failed > 0 && (
        <button className="primary" disabled={action.busy} onClick={retry}>
          Retry {number(counts.failed)} failed
        </button>
      )}
      {(state === 'paused' || state === 'halted') && (
        <button disabled={action.busy} onClick={() => (counts.failed > 0 ? setResuming(true) : resume())}>
          {counts.failed > 0 ? 'Resume without them…' : 'Resume'}
        </button>
      )}
      {action.error !== null && <Problem error={action.error} />}
      {isResuming && <ResumeDialog run={run} onClose={() => setResuming(false)} />}
    </span>
  );
};

/** What cannot be undone stands apart from what is done every day. */
export const RunDanger = ({ run }: { readonly run: Progress }): ReactNode => {
  const [isOpen, setOpen] = useState(false);
  if (run.kind !== 'migrate' || run.counts.done === 0) return null;
  return (
    <Section title="Danger">
      <div className="panel danger-zone row spread">
        <span>Take organizations back to the schema version that each had before this run.</span>
        <button onClick={() => setOpen(true)}>Roll back…</button>
      </div>
      {isOpen && <RollbackDialog run={run} onClose={() => setOpen(false)} />}
    </Section>
  );
};

interface RunDialogProps {
  readonly run: Progress;
  readonly onClose: () => void;
}

const ResumeDialog = ({ run: { run_id: id, state, counts }, onClose }: RunDialogProps): ReactNode => {
  const api = useApi();
  const queries = useQueryClient();
  const resume = async (): Promise<void> => {
    await api.POST('/admin/migrations/{run_id}/resume', {
      params: { path: { run_id: id } },
      body: { state, failed: counts.failed },
    });
    await queries.invalidateQueries({ queryKey: ['fleet'] });
    toast(`Run ${id} goes on.`);
  };
  return (
    <ActionDialog title={`Resume run ${id}`} act="Resume without them" perform={resume} onClose={onClose}>
      <p>
        {number(counts.failed)} organizations failed. They stay on their schema version and count as accepted;{' '}
        {number(counts.pending + counts.deferred)} others go on. They can be retried later.
      </p>
    </ActionDialog>
  );
};

/** Takes back what a run did to some organizations. Schema that a rollback drops takes its data with it. */
const RollbackDialog = ({ run, onClose }: RunDialogProps): ReactNode => {
  const { run_id: id, state, waves, counts } = run;
  const api = useApi();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const [by, setBy] = useState<'wave' | 'organizations'>('wave');
  const [wave, setWave] = useState('0');
  const [names, setNames] = useState('');
  const listed = names.split(/[\s,]+/).filter((name) => name !== '');
  const rollBack = async ({ headers }: Said): Promise<void> => {
    const begun = await dataOf(
      api.POST('/admin/migrations/{run_id}/rollback', {
        headers,
        params: { path: { run_id: id } },
        body: {
          state,
          failed: counts.failed,
          ...(by === 'wave' ? { wave: Number(wave) } : { org_ids: listed }),
        },
      }),
    );
    await queries.invalidateQueries({ queryKey: ['fleet'] });
    toast(`Run ${begun.run_id} takes them back.`);
    await navigate({ to: '/fleet/migrations/$runId', params: { runId: String(begun.run_id) } });
  };
  return (
    <ActionDialog
      title={`Take organizations of run ${id} back`}
      act="Roll back"
      perform={rollBack}
      onClose={onClose}
      type={`run ${id}`}
      disabled={by === 'organizations' && (listed.length === 0 || listed.length > 50)}
    >
      <p>
        They go back to the schema version that each had before the run.{' '}
        <strong>
          Columns and tables that the migration added are dropped, with what was written into them since.
        </strong>{' '}
        This cannot be undone.
      </p>
      <label className="check">
        <input type="radio" checked={by === 'wave'} onChange={() => setBy('wave')} />
        those of one wave
        <select aria-label="Wave" value={wave} onChange={(event) => setWave(event.target.value)}>
          {Array.from({ length: Math.max(waves, 1) }, (_, index) => (
            <option key={index} value={index}>
              {index === 0 ? 'canaries' : `wave ${index}`}
            </option>
          ))}
        </select>
      </label>
      <label className="check">
        <input type="radio" checked={by === 'organizations'} onChange={() => setBy('organizations')} />
        these, 50 at most
        <input
          aria-label="Ids of organizations"
          value={names}
          placeholder="acme, umbra"
          onFocus={() => setBy('organizations')}
          onChange={(event) => setNames(event.target.value)}
        />
      </label>
    </ActionDialog>
  );
};
