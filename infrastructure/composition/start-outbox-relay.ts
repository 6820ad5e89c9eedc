import type { Container } from 'inversify';
import { carryAuditEntries } from '../../application/audit/relay-outbox.ts';
import type { AuditCarrier } from '../background/outbox-relay.ts';
import { TOKENS } from './tokens.ts';

/** The manager tells the carrier of writes, and the carrier reaches the databases through the manager: joined here. */
export const startAuditCarrier = (container: Container): AuditCarrier => {
  const carrier = container.get(TOKENS.auditCarrier);
  const databases = container.get(TOKENS.connectionManager);
  const backlog = container.get(TOKENS.auditBacklog);
  carrier.start((organizationId) => carryAuditEntries(databases, backlog, organizationId));
  return carrier;
};
