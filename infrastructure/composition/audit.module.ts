import { ContainerModule } from 'inversify';
import { KnexAuditBacklog } from '../../adapters/knex/metadata/knex-audit-backlog.ts';
import { KnexAuditChains } from '../../adapters/knex/metadata/knex-audit-chains.ts';
import { KnexWorkHints } from '../../adapters/knex/metadata/knex-work-hints.ts';
import { OutboxRelay } from '../../application/audit/outbox-relay.ts';
import { RELAY_TIMES } from '../../application/audit/outbox-traffic.ts';
import { relayOutbox, type Relayed } from '../../application/audit/relay-outbox.ts';
import { WriteAnnouncements } from '../../application/audit/write-announcements.ts';
import { EventStreams } from '../../application/events/event-streams.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { EventStreamLoop } from '../background/event-stream-loop.ts';
import { OutboxRelayLoop } from '../background/outbox-relay-loop.ts';
import { bindSingleton } from './singleton.ts';
import { TOKENS } from './tokens.ts';

export const auditModule = new ContainerModule(({ bind }) => {
  bindSingleton(
    bind,
    TOKENS.auditBacklog,
    { database: TOKENS.metadataSql },
    ({ database }) => new KnexAuditBacklog(database),
  );
  bindSingleton(
    bind,
    TOKENS.auditChains,
    { database: TOKENS.metadataSql },
    ({ database }) => new KnexAuditChains(database),
  );
  bindSingleton(
    bind,
    TOKENS.workHints,
    { database: TOKENS.metadataSql },
    ({ database }) => new KnexWorkHints(database),
  );
  bind(TOKENS.relayTimes).toConstantValue(RELAY_TIMES);
  bindSingleton(
    bind,
    TOKENS.writeAnnouncements,
    {
      backlog: TOKENS.auditBacklog,
      writer: TOKENS.instanceId,
      times: TOKENS.relayTimes,
      logger: TOKENS.logger,
    },
    (deps) => new WriteAnnouncements({ ...deps, now: () => performance.now() }),
  );
  bindSingleton(
    bind,
    TOKENS.eventStreams,
    { metadata: TOKENS.metadataDatabase, feed: TOKENS.changeFeed },
    ({ metadata, feed }) => new EventStreams({ trail: metadata.events, feed, now: () => performance.now() }),
  );
  bindSingleton(
    bind,
    TOKENS.eventStreamLoop,
    { streams: TOKENS.eventStreams, logger: TOKENS.logger },
    (deps) => new EventStreamLoop(deps),
  );
  // The databases tell the announcements of writes, and the relay reaches the outboxes through the databases.
  bindSingleton(
    bind,
    TOKENS.outboxRelay,
    {
      announcements: TOKENS.writeAnnouncements,
      databases: TOKENS.connectionManager,
      backlog: TOKENS.auditBacklog,
      writer: TOKENS.instanceId,
      times: TOKENS.relayTimes,
      eventStreams: TOKENS.eventStreamLoop,
      workFigures: TOKENS.workFigures,
      logger: TOKENS.logger,
    },
    ({ databases, eventStreams, workFigures, ...deps }) => {
      const deliver = relayOutbox({
        ...deps,
        databases,
        now: Date.now,
        onDelivered: (entries) => workFigures.delivered(entries),
      });
      const relay = async (organizationId: OrganizationId): Promise<Relayed> => {
        const relayed = await deliver(organizationId);
        if (relayed.count > 0) eventStreams.delivered(organizationId);
        return relayed;
      };
      const outboxes = new OutboxRelay({ ...deps, relay, now: () => performance.now() });
      return new OutboxRelayLoop(outboxes, deps.times.gatherMs);
    },
  );
});
