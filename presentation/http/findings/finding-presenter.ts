import type { z } from 'zod';
import { FINDING_TEXTS } from '../../../application/operators/finding-texts.ts';
import type { ReconcilerPass } from '../../../application/ports/operators/operators-ledger.ts';
import type { passReply } from './finding-schema.ts';

export const presentPass = (pass: ReconcilerPass): z.output<typeof passReply> => ({
  origin: pass.origin,
  dry_run: pass.dryRun,
  began_at: pass.beganAt.toISOString(),
  ended_at: pass.endedAt.toISOString(),
  total: Object.values(pass.summary)
    .flatMap((counts) => Object.values(counts))
    .reduce((sum, count) => sum + count, 0),
  findings: pass.findings.map(({ kind, action, serverId, database, organizationId }) => ({
    kind,
    action,
    server_id: serverId,
    database,
    org_id: organizationId,
    meaning: FINDING_TEXTS[kind].meaning,
    next_step: FINDING_TEXTS[kind].nextStep,
  })),
  unreachable: pass.unreachable.map(({ serverId, reason }) => ({ server_id: serverId, reason })),
});
