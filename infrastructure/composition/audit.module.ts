import { ContainerModule } from 'inversify';
import { KnexAuditBacklog } from '../../adapters/knex/metadata/knex-audit-backlog.ts';
import { KnexAuditChains } from '../../adapters/knex/metadata/knex-audit-chains.ts';
import { OutboxRelay } from '../background/outbox-relay.ts';
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
    TOKENS.outboxRelay,
    { backlog: TOKENS.auditBacklog, writer: TOKENS.instanceId, logger: TOKENS.logger },
    (deps) => new OutboxRelay(deps),
  );
});
