import { causedBy, type Actor } from '../actor.ts';
import type { ReconcilerPass } from '../ports/operators/operators-ledger.ts';
import type { Ports } from '../ports/ports.ts';
import { toPass } from './record-pass.ts';

/**
 * Compares the servers with the ledger, mends what is safe unless it is a dry run, and audits that it was asked for.
 *
 * @throws {OrganizationNotReadyError} when another process goes on reconciling a server
 * @throws {DatabaseConnectionError}
 */
export const reconcileAsOperator =
  ({ metadata, reconcileDatabases, now }: Pick<Ports, 'metadata' | 'reconcileDatabases' | 'now'>) =>
  async (actor: Actor, { dryRun }: { readonly dryRun: boolean }): Promise<ReconcilerPass> => {
    const beganAt = new Date(now());
    await metadata.auditLog.append({
      organizationId: null,
      action: 'databases.reconciled',
      entityType: 'reconciler_pass',
      entityId: beganAt.toISOString(),
      details: { dry_run: dryRun },
      ...causedBy(actor),
    });
    const report = await reconcileDatabases({ dryRun, quarantineForeign: false, origin: 'operator' });
    return toPass(report, { origin: 'operator', dryRun, beganAt, endedAt: new Date(now()) });
  };
