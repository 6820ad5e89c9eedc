import { z } from 'zod';
import { ATTENTION_CODES, SEVERITIES } from '../../../application/operators/attention-item.ts';
import { RUN_STATES } from '../../../application/ports/fleet/fleet-ledger.ts';
import { DATABASE_STATES } from '../../../domain/databases/results-database.ts';
import { ORGANIZATION_STATUSES } from '../../../domain/organizations/organization.ts';
import { count, listOf, timestamp } from '../request/schema/fields.ts';
import { serverReply } from '../servers/server-schema.ts';

const rate = z.number().min(0);
const circuit = z.enum(['closed', 'open', 'half-open']);

const attention = z
  .strictObject({
    code: z.enum(ATTENTION_CODES),
    severity: z.enum(SEVERITIES).meta({
      description:
        '`critical`: somebody is refused, or data is gone. `warning`: it will come to that, or something waits for an operator',
    }),
    sentence: z.string(),
    next_step: z.string(),
    organizations: count.nullable().meta({ description: 'How many it concerns; null: none in particular' }),
    sample: z.array(z.string()).meta({ description: 'Some of them' }),
    server_id: z.string().nullable(),
    run_id: z.int().nullable(),
  })
  .meta({ id: 'Attention' });

const busyOrganization = z
  .strictObject({
    org_id: z.string(),
    requests_per_second: rate,
    open: count.meta({ description: 'Connections of its pools' }),
    waiting: count.meta({ description: 'Requests that wait for one' }),
  })
  .meta({ id: 'BusyOrganization' });

const countsOf = <Key extends string>(keys: readonly Key[]) => z.partialRecord(z.enum(keys), count);

export const overviewReply = z
  .strictObject({
    at: timestamp.meta({ description: 'When the numbers were read: 2 s ago at most' }),
    needs_you: z.array(attention).meta({ description: 'What is wrong, the worst first' }),
    organizations: z.strictObject({
      total: count,
      by_status: countsOf(ORGANIZATION_STATUSES),
      by_database_state: countsOf([...DATABASE_STATES, 'none']),
    }),
    servers: z.array(serverReply),
    processes: z.strictObject({ live: count, silent: count, requests_per_second: rate }),
    busiest: z.array(busyOrganization).meta({ description: 'In the last 5 s, of all processes together' }),
    run: z
      .strictObject({
        run_id: z.int(),
        kind: z.enum(['migrate', 'rollback']),
        state: z.enum(RUN_STATES),
        reason: z.string().nullable(),
        counts: z.strictObject({
          pending: count,
          running: count,
          deferred: count,
          done: count,
          failed: count,
        }),
      })
      .nullable()
      .meta({ description: 'The migration run that is not finished' }),
  })
  .meta({ id: 'Overview' });

const instance = z
  .strictObject({
    instance_id: z.string(),
    answers: z.boolean().meta({ description: 'Whether it is the process that answers' }),
    version: z.string(),
    started_at: timestamp,
    beat_at: timestamp.meta({ description: 'What follows was so then' }),
    silent: z.boolean().meta({ description: 'Whether that is more than 15 s ago' }),
    event_loop_utilization: z.number().min(0).max(1),
    rss_bytes: count,
    requests_per_second: rate,
    pools: z.strictObject({ open: count, draining: count, leases: count }),
    metadata: z.strictObject({ circuit, in_use: count, idle: count, waiting: count }),
    servers: z.array(
      z.strictObject({
        server_id: z.string(),
        circuit,
        open: count,
        share: count,
        waiting: count.meta({ description: 'Organizations that wait for a connection' }),
      }),
    ),
    busiest: z.array(busyOrganization),
    failing: z
      .array(z.strictObject({ org_id: z.string(), code: z.string(), failures: count }))
      .meta({ description: 'Organizations of which every request fails, and how many in a row' }),
  })
  .meta({ id: 'Instance' });
export const instanceList = listOf(instance).meta({ id: 'InstanceList' });
export type InstanceReply = z.output<typeof instance>;
