import type { HttpDependencies } from '../http-dependencies.ts';
import { ok } from '../request/reply.ts';
import { platformRoute, type Route } from '../routing/route.ts';
import { presentTask } from './task-presenter.ts';
import { runRequest, taskList, taskReply } from './task-schema.ts';

const tag = 'operations';
const path = '/admin/tasks';

export const taskRoutes = (deps: HttpDependencies): readonly Route[] => [
  listTasksRoute(deps),
  runTaskRoute(deps),
];

const listTasksRoute = ({ tasks, instanceId }: HttpDependencies): Route =>
  platformRoute(['platform_admin'], {
    method: 'get',
    path,
    name: 'listTasks',
    summary: 'List what the process that answers does in the background, and how that goes',
    tag,
    request: {},
    replies: { 200: { description: 'All tasks, in the order of their start', schema: taskList } },
    handle: () => ok({ instance_id: instanceId, items: tasks.list().map(presentTask) }),
  });

const runTaskRoute = ({ runTask }: HttpDependencies): Route =>
  platformRoute(['platform_admin'], {
    method: 'post',
    path: `${path}/{task_name}/run`,
    name: 'runTask',
    summary: 'Have the process that answers do a background task now',
    tag,
    request: runRequest,
    replies: { 200: { description: 'After its end, or 5 s', schema: taskReply } },
    errors: ['task_not_found'],
    handle: async ({ actor, input: { params } }) => ok(presentTask(await runTask(actor, params.task_name))),
  });
