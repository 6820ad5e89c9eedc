import { z } from 'zod';
import { PASS_ORIGINS } from '../../../application/ports/operators/operators-ledger.ts';
import { count, timestamp } from '../request/schema/fields.ts';

export const reconcileRequest = {
  body: z
    .strictObject({
      dry_run: z.boolean().meta({ description: 'Only say what would be done' }),
    })
    .meta({ example: { dry_run: true } }),
};

const finding = z
  .strictObject({
    kind: z.enum([
      'missing',
      'half-made',
      'half-retired',
      'orphan',
      'foreign',
      'stale-spare',
      'locked-out',
      'old-stamp',
    ]),
    action: z
      .enum(['reported', 'resumed', 'quarantined', 'dropped', 'admitted', 'stamped', 'failed'])
      .meta({ description: 'What was done about it; in a dry run, what would be' }),
    server_id: z.string(),
    database: z.string(),
    org_id: z.string().nullable(),
    meaning: z.string(),
    next_step: z.string(),
  })
  .meta({ id: 'Finding' });

const pass = z
  .strictObject({
    origin: z
      .enum(PASS_ORIGINS)
      .meta({ description: 'The start of a process, a command, or an operator here' }),
    dry_run: z.boolean(),
    began_at: timestamp,
    ended_at: timestamp,
    total: count.meta({ description: 'Of all findings; the list ends after 1,000' }),
    findings: z.array(finding),
    unreachable: z
      .array(z.strictObject({ server_id: z.string(), reason: z.string() }))
      .meta({ description: 'Servers that could not be looked at' }),
  })
  .meta({ id: 'ReconcilerPass' });
export const passReply = pass;
export const lastPassReply = z
  .strictObject({ pass: pass.nullable().meta({ description: 'null before the first' }) })
  .meta({ id: 'LastReconcilerPass' });
