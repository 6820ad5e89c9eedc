import { randomUUID } from 'node:crypto';
import { Agent } from 'node:http';
import type { CarriedEntry } from '../../domain/audit/carried-entry.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { listen } from '../../infrastructure/http-server/http-server.ts';
import { createDeployment, organizationId } from '../support/deployment.ts';
import { send } from '../support/send.ts';
import { interleave, median, timed } from './statistics.ts';
import type { Line } from './table.ts';

const FEW = 20;
const MANY = 2000;
const ROUNDS = 40;
const ENTRIES = 200;
const MOST_MS = 5;

const entryOf = (details: CarriedEntry['details']): CarriedEntry => ({
  auditId: randomUUID(),
  userId: 'user-1',
  action: 'job.submitted',
  entityType: 'job',
  entityId: randomUUID(),
  details,
  requestId: null,
  at: new Date(),
});
const nameOf = (index: number): string => `org-${index}`;

/** A service with organizations that are rows in the metadata alone: `atWork` of them have a hint, all a fleet. */
const startContender = async (serverUrl: string, organizations: number, atWork: number) => {
  const deployment = await createDeployment({}, { url: serverUrl });
  await deployment.register(...Array.from({ length: organizations }, (_, index) => nameOf(index)));
  const container = deployment.start();
  const { serviceAccounts } = container.get(TOKENS.metadataDatabase);
  const { accountId } = await serviceAccounts.insert(null, { name: 'fleet', roles: ['worker'] });
  await deployment.metadata(
    `insert into memberships (user_id, org_id, roles) select $1, org_id, '{worker}' from organizations`,
    accountId,
  );
  const backlog = container.get(TOKENS.auditBacklog);
  const deliver = (index: number, entries: readonly CarriedEntry[]) =>
    backlog.deliver(organizationId(nameOf(index)), entries);
  const work = { engine: 'vina', status: 'PENDING' };
  for (let index = 0; index < atWork; index += 1)
    await deliver(Math.floor((index * organizations) / atWork), [entryOf(work)]);
  await deployment.metadata('analyze');
  await container.get(TOKENS.changeFeed).start();
  const server = await listen(deployment.app(container), '127.0.0.1', 0, { answerClientError: () => '' });
  const agent = new Agent({ keepAlive: true });
  const token = deployment.token(null, [], { sub: accountId });
  return {
    ask: async () => {
      await deployment.metadata(`update work_hints set next_due_at = now()`);
      return timed(async () => {
        const { status, text } = await send(
          server.url,
          'GET',
          '/work?engines=vina&limit=20',
          { token },
          agent,
        );
        if (status !== 200 || text.split('org_id').length !== FEW + 1) throw new Error(`${status} ${text}`);
      });
    },
    /** Entries that tell of work, or of nothing. */
    deliver: (tells: boolean) => {
      const entries = Array.from({ length: ENTRIES }, () => entryOf(tells ? work : { engine: 'vina' }));
      return timed(() => deliver(0, entries));
    },
    close: async () => {
      agent.destroy();
      await server.close();
      await container.get(TOKENS.changeFeed).close();
      await deployment.dispose();
    },
  };
};

/**
 * What it takes a fleet to find the organizations at work, by how many there are, and what it takes the relay to set
 * hints. No organization has a database here: whoever opened one would fail.
 */
export const work = async (serverUrl: string): Promise<readonly Line[]> => {
  const few = await startContender(serverUrl, FEW, FEW);
  const many = await startContender(serverUrl, MANY, FEW);
  const busy = await startContender(serverUrl, MANY, MANY);
  try {
    const found = await interleave(ROUNDS, { few: few.ask, many: many.ask, busy: busy.ask });
    const told = await interleave(ROUNDS, {
      silent: () => busy.deliver(false),
      telling: () => busy.deliver(true),
    });
    return [
      {
        measure: `GET /work, ${FEW} of ${MANY} organizations at work / of ${FEW}`,
        ours: median(found.many),
        floor: median(found.few),
        unit: 'ms',
        limit: { kind: 'at most', ratio: 1.5 },
      },
      {
        measure: `GET /work, ${FEW} of ${MANY} organizations at work / ${MOST_MS} ms`,
        ours: median(found.many),
        floor: MOST_MS,
        unit: 'ms',
        limit: { kind: 'at most', ratio: 1 },
      },
      {
        measure: `GET /work, all of ${MANY} organizations at work / ${MOST_MS} ms`,
        ours: median(found.busy),
        floor: MOST_MS,
        unit: 'ms',
        limit: { kind: 'at most', ratio: 1 },
      },
      {
        measure: `${ENTRIES} audit entries delivered with their hints / without`,
        ours: median(told.telling),
        floor: median(told.silent),
        unit: 'ms',
        limit: { kind: 'at most', ratio: 1.25 },
      },
    ];
  } finally {
    for (const contender of [few, many, busy]) await contender.close();
  }
};
