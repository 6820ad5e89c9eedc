import type { Container } from 'inversify';
import { relayOutbox } from '../../application/audit/relay-outbox.ts';
import type { OutboxRelay } from '../background/outbox-relay.ts';
import { TOKENS } from './tokens.ts';

/** The manager tells the carrier of writes, and the carrier reaches the databases through the manager: joined here. */
export const startOutboxRelay = (container: Container): OutboxRelay => {
  const carrier = container.get(TOKENS.outboxRelay);
  const databases = container.get(TOKENS.connectionManager);
  const backlog = container.get(TOKENS.auditBacklog);
  carrier.start((organizationId) => relayOutbox(databases, backlog, organizationId));
  return carrier;
};
