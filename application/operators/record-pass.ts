import type { ReconcileDatabases } from '../databases/reconcile.ts';
import type { Finding, ReconcileReport } from '../ports/databases/database-upkeep.ts';
import type { FindingSummary, ReconcilerPass } from '../ports/operators/operators-ledger.ts';
import type { Ports } from '../ports/ports.ts';

/** More than anybody reads, in a table that every overview reads. */
const MAX_LISTED = 1000;

/** Reconciles, and keeps what came of it for operators. A pass that cannot be recorded is a pass all the same. */
export const recordPasses =
  (
    reconcile: ReconcileDatabases,
    { operatorsLedger, now, logger }: Pick<Ports, 'operatorsLedger' | 'now' | 'logger'>,
  ): ReconcileDatabases =>
  async (options) => {
    const beganAt = new Date(now());
    const report = await reconcile(options);
    const { origin = 'command', dryRun } = options;
    try {
      await operatorsLedger.recordPass(toPass(report, { origin, dryRun, beganAt, endedAt: new Date(now()) }));
    } catch (error) {
      logger.write('reconciler.unrecorded', { err: error });
    }
    return report;
  };

export const toPass = (
  { findings, unreachable }: ReconcileReport,
  fields: Pick<ReconcilerPass, 'origin' | 'dryRun' | 'beganAt' | 'endedAt'>,
): ReconcilerPass => ({
  ...fields,
  unreachable,
  summary: summarize(findings),
  findings: findings.slice(0, MAX_LISTED),
});

const summarize = (findings: readonly Finding[]): FindingSummary => {
  const summary: Partial<Record<Finding['kind'], Partial<Record<Finding['action'], number>>>> = {};
  for (const { kind, action } of findings) {
    const ofKind = (summary[kind] ??= {});
    ofKind[action] = (ofKind[action] ?? 0) + 1;
  }
  return summary;
};
