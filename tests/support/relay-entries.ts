import type { Container } from 'inversify';
import { RELAY_TIMES, type RelayTimes } from '../../application/audit/outbox-traffic.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';

/**
 * Makes a container just started relay audit entries, at a pace of its own; before its manager was made. Returns what
 * stops that, to be called before the container is disposed of.
 */
export const relayEntries = (
  container: Container,
  times: Partial<RelayTimes> = {},
): (() => Promise<void>) => {
  container.rebind(TOKENS.relayTimes).toConstantValue({ ...RELAY_TIMES, ...times });
  const relay = container.get(TOKENS.outboxRelay);
  relay.start();
  return () => relay.close();
};
