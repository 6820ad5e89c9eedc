import { randomUUID } from 'node:crypto';
import { ContainerModule } from 'inversify';
import { KnexAuditBacklog } from '../../adapters/knex/metadata/knex-audit-backlog.ts';
import { KnexAuditChains } from '../../adapters/knex/metadata/knex-audit-chains.ts';
import { AuditCarrier } from '../lifecycle/audit-carrier.ts';
import { observedMetadata } from './observed-databases.ts';
import { TOKENS } from './tokens.ts';

export const auditModule = new ContainerModule(({ bind }) => {
  bind(TOKENS.auditBacklog)
    .toResolvedValue(
      (pool, config, logger) => new KnexAuditBacklog(observedMetadata(pool, config, logger)),
      [TOKENS.metadataPool, TOKENS.config, TOKENS.logger],
    )
    .inSingletonScope();
  bind(TOKENS.auditChains)
    .toResolvedValue((pool) => new KnexAuditChains(pool), [TOKENS.metadataPool])
    .inSingletonScope();
  bind(TOKENS.auditCarrier)
    .toResolvedValue(
      (backlog, logger) => new AuditCarrier({ backlog, writer: randomUUID(), logger }),
      [TOKENS.auditBacklog, TOKENS.logger],
    )
    .inSingletonScope();
});
