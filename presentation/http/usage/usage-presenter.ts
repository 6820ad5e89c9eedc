import type { z } from 'zod';
import type { OrganizationUsage } from '../../../application/usage/show-usage.ts';
import type { DailyUsage } from '../../../domain/usage/daily-usage.ts';
import type { usageReply } from './usage-schema.ts';

type Amounts = Omit<DailyUsage, 'day' | 'storedBytes'>;

export const presentUsage = ({ from, to, days }: OrganizationUsage): z.output<typeof usageReply> => ({
  from,
  to,
  total: presentAmounts(days.reduce(plus, NOTHING)),
  days: days.map(({ day, storedBytes, ...amounts }) => ({
    day,
    ...presentAmounts(amounts),
    stored_bytes: storedBytes,
  })),
});

const NOTHING: Amounts = { requests: 0, refusals: 0, dbMs: 0, egressBytes: 0, jobs: 0, coreSeconds: 0 };

const plus = (sum: Amounts, day: Amounts): Amounts => ({
  requests: sum.requests + day.requests,
  refusals: sum.refusals + day.refusals,
  dbMs: sum.dbMs + day.dbMs,
  egressBytes: sum.egressBytes + day.egressBytes,
  jobs: sum.jobs + day.jobs,
  coreSeconds: sum.coreSeconds + day.coreSeconds,
});

const presentAmounts = ({ requests, refusals, dbMs, egressBytes, jobs, coreSeconds }: Amounts) => ({
  requests,
  refusals,
  db_ms: Math.round(dbMs),
  egress_bytes: egressBytes,
  jobs,
  core_seconds: Math.round(coreSeconds * 1000) / 1000,
});
