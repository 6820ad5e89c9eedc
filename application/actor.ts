import type { AuditAction } from '../domain/audit/audit-actions.ts';
import type { WriteNote } from '../domain/audit/audit-log.ts';
import type { Principal } from '../domain/identity/principal.ts';

/** Who asks, from where and under which request id: what the audit trail needs of a request. */
export interface Actor {
  readonly principal: Principal;
  readonly requestId: string;
  /** Network address that the request came from. */
  readonly address: string | null;
  /** Why, as the request says it. */
  readonly reason?: string | undefined;
}

/** What an audit entry keeps of who caused it. */
export const causedBy = ({ principal, requestId, address, reason }: Actor) => ({
  userId: principal.userId,
  requestId,
  address,
  ...(reason !== undefined && { reason }),
});

export const noteOf = (
  { principal, requestId, address, reason }: Actor,
  action: AuditAction,
  details: WriteNote['details'],
): WriteNote => ({
  action,
  details: reason === undefined ? details : { ...details, reason },
  userId: principal.userId,
  requestId,
  address,
});
