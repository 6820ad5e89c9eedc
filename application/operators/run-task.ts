import { TaskNotFoundError } from '../../domain/operators/errors.ts';
import { causedBy, type Actor } from '../actor.ts';
import type { Ports } from '../ports/ports.ts';
import type { BackgroundTasks, TaskReport } from '../ports/runtime/background-tasks.ts';

/**
 * Has the process that answers do a background task now, and audits that. A run that takes long goes on after the answer.
 *
 * @throws {TaskNotFoundError}
 */
export const runTask =
  ({ metadata, tasks }: Pick<Ports, 'metadata'> & { readonly tasks: BackgroundTasks }) =>
  async (actor: Actor, name: string): Promise<TaskReport> => {
    if (!tasks.list().some((task) => task.name === name)) throw new TaskNotFoundError();
    await metadata.auditLog.append({
      organizationId: null,
      action: 'task.run',
      entityType: 'task',
      entityId: name,
      details: {},
      ...causedBy(actor),
    });
    const report = await tasks.run(name);
    if (report === null) throw new TaskNotFoundError();
    return report;
  };
