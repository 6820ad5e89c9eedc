import type { AuditAction } from '../domain/audit/audit-actions.ts';
import type { WriteNote } from '../domain/audit/audit-log.ts';
import type { Principal } from '../domain/identity/principal.ts';

/** Who asks, from where and under which request id: what the audit trail needs of a request. */
export interface Actor {
  readonly principal: Principal;
  readonly requestId: string;
  /** Network address that the request came from. */
  readonly address: string | null;
}

/** What an audit entry keeps of who caused it. */
export const causedBy = ({ principal, requestId, address }: Actor) => ({
  userId: principal.userId,
  requestId,
  address,
});

export const noteOf = (
  { principal, requestId, address }: Actor,
  action: AuditAction,
  details: WriteNote['details'],
): WriteNote => ({ action, details, userId: principal.userId, requestId, address });
