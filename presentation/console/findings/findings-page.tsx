import { useQuery } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { dataOf, useApi, type Schemas } from '../api/client.ts';
import { useAction } from '../ui/action.tsx';
import { Badge, type Tone } from '../ui/badge.tsx';
import { ActionDialog } from '../ui/dialog.tsx';
import { Loaded } from '../ui/loading.tsx';
import { Page } from '../ui/page.tsx';
import { Problem } from '../ui/problem.tsx';
import { RowLink } from '../ui/row-link.tsx';
import { Table, type Column } from '../ui/table.tsx';
import { Age } from '../ui/time.tsx';
import { toast } from '../ui/toast.tsx';

type Pass = Schemas['ReconcilerPass'];
type Finding = Schemas['Finding'];

/** What does not fit between the servers and the ledger. Looking at it compares nothing. */
export const FindingsPage = (): ReactNode => {
  const api = useApi();
  const { busy, error, run } = useAction();
  const [mending, setMending] = useState(false);
  const query = useQuery({
    queryKey: ['fleet', 'findings'],
    queryFn: () => dataOf(api.GET('/admin/findings')),
  });
  const reconcile = (isDryRun: boolean) => async (): Promise<void> => {
    const pass = await dataOf(api.POST('/admin/findings/reconcile', { body: { dry_run: isDryRun } }));
    toast(
      `${pass.total} ${pass.total === 1 ? 'finding' : 'findings'}${isDryRun ? '; nothing was changed' : ''}.`,
    );
  };
  return (
    <Page
      title="Findings"
      lead="What does not fit between the database servers and the ledger, as the last comparison found it."
      actions={
        <>
          <button className="primary" disabled={busy} onClick={() => run(reconcile(true))}>
            {busy ? 'Comparing…' : 'Compare now (dry run)'}
          </button>
          <button disabled={busy} onClick={() => setMending(true)}>
            Mend what is safe…
          </button>
        </>
      }
    >
      {error !== null && <Problem error={error} />}
      <Loaded query={query}>
        {({ pass }) =>
          pass === null ? (
            <p className="empty">
              The servers were never compared with the ledger. A dry run changes nothing.
            </p>
          ) : (
            <LastPass {...pass} />
          )
        }
      </Loaded>
      {mending && (
        <ActionDialog
          title="Mend what is safe"
          act="Mend"
          perform={async () => {
            await reconcile(false)();
            await query.refetch();
          }}
          onClose={() => setMending(false)}
        >
          <p>
            The servers are compared with the ledger again. What an interrupted process left half done is
            finished, and what nobody uses is put aside. No data is dropped, and databases of others are left
            alone.
          </p>
        </ActionDialog>
      )}
    </Page>
  );
};

const LastPass = (pass: Pass): ReactNode => (
  <>
    <p className="row note">
      <span>
        Compared <Age at={pass.ended_at} /> by {ORIGINS[pass.origin]}
        {pass.dry_run && ', as a dry run'}
      </span>
      {pass.total > pass.findings.length && <span>{pass.total} findings; here are the first 1,000</span>}
    </p>
    {pass.unreachable.map(({ server_id: id, reason }) => (
      <p className="notice" key={id}>
        Server {id} could not be looked at: {reason}
      </p>
    ))}
    <Table
      label="Findings"
      columns={[...COLUMNS, outcome(pass.dry_run)]}
      rows={pass.findings}
      rowKey={({ kind, server_id: id, database }) => `${kind} ${id} ${database}`}
      empty="Servers and ledger fit."
    />
  </>
);

const ORIGINS: Readonly<Record<string, string>> = {
  start: 'the start of a process',
  command: 'a command',
  operator: 'an operator here',
};

const TONES: Readonly<Record<string, Tone>> = {
  missing: 'bad',
  'locked-out': 'bad',
  orphan: 'warn',
  foreign: 'quiet',
};

const MENDED = '“Mend what is safe…” does it.';
/** What these pages lead to, in place of the routes that the API's sentence names for scripts. */
const STEPS: Readonly<Partial<Record<Finding['kind'], string>>> = {
  missing:
    'Find out where it went, and restore it from a backup under this name. If it is lost for good, open the organization and retire the database: then an empty one can be made.',
  'half-made': MENDED,
  'half-retired': MENDED,
  'locked-out': MENDED,
  'old-stamp': MENDED,
};

/** A dry run says what would be done. */
const outcome = (isDryRun: boolean): Column<Finding> => ({
  head: isDryRun ? 'Would be' : 'Done',
  width: '7rem',
  cell: ({ action }) => action,
});

const COLUMNS: readonly Column<Finding>[] = [
  { head: 'Kind', width: '8rem', cell: ({ kind }) => <Badge state={kind} tone={TONES[kind] ?? 'warn'} /> },
  {
    head: 'Database',
    cell: ({ database, server_id: server, org_id: id }) => (
      <>
        <code>{database}</code> on {server}
        {id !== null && (
          <>
            {' '}
            of{' '}
            <RowLink to="/fleet/organizations/$orgId" params={{ orgId: id }}>
              {id}
            </RowLink>
          </>
        )}
      </>
    ),
  },
  { head: 'What it means', cell: ({ meaning }) => meaning },
  { head: 'What is safe', cell: ({ kind, next_step: said }) => STEPS[kind] ?? said },
];
