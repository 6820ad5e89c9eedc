import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { dataOf, useApi, type Schemas } from '../api/client.ts';
import { duration, words } from '../format.ts';
import { useRefresh } from '../live.ts';
import { useAction } from '../ui/action.tsx';
import { Badge } from '../ui/badge.tsx';
import { Loaded } from '../ui/loading.tsx';
import { Page } from '../ui/page.tsx';
import { Problem } from '../ui/problem.tsx';
import { Table, type Column } from '../ui/table.tsx';
import { Age } from '../ui/time.tsx';
import { toast } from '../ui/toast.tsx';

type Task = Schemas['BackgroundTask'];

export const TasksPage = (): ReactNode => {
  const api = useApi();
  const { busy, error, run } = useAction();
  const query = useQuery({
    queryKey: ['fleet', 'tasks'],
    queryFn: () => dataOf(api.GET('/admin/tasks')),
    refetchInterval: useRefresh(),
  });
  const runTask = (name: string): void =>
    run(async () => {
      const task = await dataOf(
        api.POST('/admin/tasks/{task_name}/run', { params: { path: { task_name: name } } }),
      );
      toast(`${words(name)}: ${task.running ? 'goes on' : 'done'}.`);
    });
  const columns: readonly Column<Task>[] = [
    ...COLUMNS,
    {
      head: 'Now',
      cell: ({ name, running }) =>
        running ? (
          <Badge state="running" />
        ) : (
          <button disabled={busy} aria-label={`Run now: ${words(name)}`} onClick={() => runTask(name)}>
            Run now
          </button>
        ),
    },
  ];
  return (
    <Page
      title="Background tasks"
      lead="What one process does beside its requests. Each process has its own."
    >
      {error !== null && <Problem error={error} />}
      <Loaded query={query}>
        {({ items, instance_id: id }) => (
          <>
            <p className="faint note">
              Of the process <code>{id.slice(0, 8)}</code>, which answers.
            </p>
            <Table
              label="Background tasks"
              columns={columns}
              rows={items}
              rowKey={({ name }) => name}
              empty="None."
            />
          </>
        )}
      </Loaded>
    </Page>
  );
};

const COLUMNS: readonly Column<Task>[] = [
  { head: 'Task', cell: ({ name }) => words(name) },
  { head: 'Every', numeric: true, minor: true, cell: (task) => duration(task.every_seconds * 1000) },
  { head: 'Last success', cell: ({ last_success_at: at }) => <Age at={at} /> },
  {
    head: 'Next',
    minor: true,
    cell: ({ next_run_at: at }) => (at === null ? 'not started' : <Age at={at} />),
  },
  {
    head: 'Took',
    numeric: true,
    minor: true,
    cell: ({ last_run_seconds: seconds }) => (seconds === null ? '' : duration(seconds * 1000)),
  },
  {
    head: 'Failures',
    numeric: true,
    cell: ({ failures }) => (failures === 0 ? 0 : <Badge state="failed">{failures}</Badge>),
  },
];
