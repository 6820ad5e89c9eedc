import { ContainerModule } from 'inversify';
import { KnexAuditBacklog } from '../../adapters/knex/metadata/knex-audit-backlog.ts';
import { KnexAuditChains } from '../../adapters/knex/metadata/knex-audit-chains.ts';
import { OutboxRelay } from '../background/outbox-relay.ts';
import { TOKENS } from './tokens.ts';

export const auditModule = new ContainerModule(({ bind }) => {
  bind(TOKENS.auditBacklog)
    .toResolvedValue((database) => new KnexAuditBacklog(database), [TOKENS.metadataSql])
    .inSingletonScope();
  bind(TOKENS.auditChains)
    .toResolvedValue((database) => new KnexAuditChains(database), [TOKENS.metadataSql])
    .inSingletonScope();
  bind(TOKENS.outboxRelay)
    .toResolvedValue(
      (backlog, writer, logger) => new OutboxRelay({ backlog, writer, logger }),
      [TOKENS.auditBacklog, TOKENS.instanceId, TOKENS.logger],
    )
    .inSingletonScope();
});
