import { FINDING_KINDS, type FindingKind } from '../ports/databases/database-upkeep.ts';
import type { ReconcilerPass } from '../ports/operators/operators-ledger.ts';

/** What the pass found and did not mend, by kind; without the kinds of which there is nothing. */
export const openFindings = ({
  dryRun,
  summary,
}: Pick<ReconcilerPass, 'dryRun' | 'summary'>): readonly {
  readonly kind: FindingKind;
  readonly count: number;
}[] =>
  FINDING_KINDS.flatMap((kind) => {
    const count = Object.entries(summary[kind] ?? {}).reduce(
      (sum, [action, some]) =>
        // Without a dry run the other actions say that it was mended.
        sum + (dryRun || action === 'reported' || action === 'failed' ? some : 0),
      0,
    );
    return count === 0 ? [] : [{ kind, count }];
  });
