import type { WorkHint } from '../../../domain/work/work-hint.ts';

export const presentHint = (hint: WorkHint) => ({
  org_id: hint.organizationId,
  engine: hint.engine,
  waiting: hint.waiting,
  oldest_at: hint.oldestAt?.toISOString() ?? null,
  hint_version: hint.version,
});
