import type { Principal } from '../domain/identity/principal.ts';

/** Who asks, and under which request id: what the audit trail needs of a request. */
export interface Actor {
  readonly principal: Principal;
  readonly requestId: string;
}
