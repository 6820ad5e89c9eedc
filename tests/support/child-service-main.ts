/** The program of a child process: a container with the environment it is sent, obeying one command after another. */
import { inspect } from 'node:util';
import { createContainer } from '../../infrastructure/composition/container.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { parseConfig } from '../../infrastructure/config/config.ts';
import { DomainError } from '../../domain/exceptions.ts';
import { parseOrganizationId } from '../../domain/organizations/organization-id.ts';
import type { ChildCommand, ChildCounts, ChildMessage, ChildRequest, ChildStart } from './child-protocol.ts';
import { relayEntries } from './relay-entries.ts';
import { Gate } from './gate.ts';
import { createdDatabases, hookProvisioning, watchAdminStatements } from './provisioning-steps.ts';
import { ALL_JOBS, sampleJob, sampleNote } from './sample-job.ts';
import { defaultServer } from './servers.ts';

const tell = (message: ChildMessage): void => void process.send?.(message);

const run = ({
  environment,
  gate: place,
  audit,
}: ChildStart): ((command: ChildCommand) => Promise<unknown>) => {
  const config = parseConfig(environment);
  const container = createContainer(config);
  const statements = watchAdminStatements(container);
  const gate = new Gate();
  const stopAt = async (step: string, moment: 'before' | 'after'): Promise<void> => {
    if (place?.step !== step || place.moment !== moment) return;
    tell({ event: 'at gate' });
    await gate.pass();
  };
  hookProvisioning(container, async (step, proceed) => {
    await stopAt(step, 'before');
    await proceed();
    await stopAt(step, 'after');
  });
  const stopRelaying = audit === null ? null : relayEntries(container, audit);
  const manager = container.get(TOKENS.connectionManager);
  process.once(
    'disconnect',
    () => void (stopRelaying?.() ?? Promise.resolve()).then(() => manager.closeAll()),
  );

  const idOf = (id: string) => parseOrganizationId(id, config.database.maxOrganizationIdLength);
  const lease = (id: string) => manager.acquire(idOf(id));

  return async (command) => {
    switch (command.do) {
      case 'read': {
        const { database, release } = await lease(command.organizationId);
        try {
          return (await database.jobs.list(...ALL_JOBS)).items.length;
        } finally {
          release();
        }
      }
      case 'write': {
        const { database, release } = await lease(command.organizationId);
        try {
          const { submittedBy } = command;
          const note = { ...sampleNote('job.submitted'), details: { engine: 'vina', status: 'PENDING' } };
          return (await database.jobs.insert(sampleJob({ submittedBy, note })))?.jobId;
        } finally {
          release();
        }
      }
      case 'retire':
        return container.get(TOKENS.retireDatabase)(idOf(command.organizationId));
      case 'created':
        return createdDatabases(statements);
      case 'join':
        return container.get(TOKENS.servers).start();
      case 'counts':
        return { ...manager.counts(), budget: defaultServer(container).budget.limit } satisfies ChildCounts;
      case 'open gate':
        gate.open();
        return null;
    }
  };
};

process.once('message', (start: ChildStart) => {
  const obey = run(start);
  process.on('message', ({ id, command }: ChildRequest) => {
    obey(command).then(
      (result) => tell({ event: 'answer', id, result: result ?? null }),
      (error: unknown) => {
        const code =
          error instanceof DomainError ? error.code : error instanceof Error ? error.name : 'unknown';
        tell({ event: 'failure', id, code, message: inspect(error) });
      },
    );
  });
  tell({ event: 'started' });
});
