import type { Container } from 'inversify';
import { carryAuditEntries } from '../../application/audit/carry-audit-entries.ts';
import type { AuditCarrier } from '../lifecycle/audit-carrier.ts';
import { TOKENS } from './tokens.ts';

/** The manager tells the carrier of writes, and the carrier reaches the databases through the manager: joined here. */
export const startAuditCarrier = (container: Container): AuditCarrier => {
  const carrier = container.get(TOKENS.auditCarrier);
  const databases = container.get(TOKENS.connectionManager);
  const backlog = container.get(TOKENS.auditBacklog);
  carrier.start((organizationId) => carryAuditEntries(databases, backlog, organizationId));
  return carrier;
};
