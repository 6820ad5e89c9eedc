import type { Container } from 'inversify';
import { startOutboxRelay } from '../../infrastructure/composition/start-outbox-relay.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { OutboxRelay, type OutboxRelayTimes } from '../../infrastructure/background/outbox-relay.ts';

/**
 * Makes a container just started carry audit entries, at a pace of its own; before its manager was made. Returns what
 * stops that, to be called before the container is disposed of.
 */
export const carryEntries = (
  container: Container,
  times: Partial<OutboxRelayTimes> = {},
): (() => Promise<void>) => {
  const carrier = new OutboxRelay({
    backlog: container.get(TOKENS.auditBacklog),
    writer: crypto.randomUUID(),
    logger: container.get(TOKENS.logger),
    times,
  });
  container.rebind(TOKENS.outboxRelay).toConstantValue(carrier);
  startOutboxRelay(container);
  return () => carrier.close();
};
