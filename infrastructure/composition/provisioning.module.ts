import { randomUUID } from 'node:crypto';
import { ContainerModule } from 'inversify';
import { canonicalFingerprint } from '../../adapters/canonicalize/canonical-fingerprint.ts';
import { adoptDatabase } from '../../application/databases/adopt.ts';
import { provisioning } from '../../application/databases/provisioning.ts';
import { recordPasses } from '../../application/operators/record-pass.ts';
import { reconcileDatabases } from '../../application/databases/reconcile.ts';
import { refillSpares } from '../../application/databases/refill-spares.ts';
import { finishRetirement, retireDatabase } from '../../application/databases/retire.ts';
import { rotateCredentials } from '../../application/databases/rotate-credentials.ts';
import { SpareKeeper } from '../background/spare-keeper.ts';
import { bindSingleton } from './singleton.ts';
import { TOKENS } from './tokens.ts';

/** What is done with organizations' databases, by requests and by operators. */
export const provisioningModule = new ContainerModule(({ bind }) => {
  const newId = randomUUID;
  const fingerprint = canonicalFingerprint;
  bindSingleton(
    bind,
    TOKENS.provisioning,
    {
      ledger: TOKENS.databaseLedger,
      servers: TOKENS.servers,
      deployment: TOKENS.deployment,
      logger: TOKENS.logger,
      metrics: TOKENS.metrics,
      spareKeeper: TOKENS.spareKeeper,
      schemaGuard: TOKENS.schemaGuard,
    },
    ({ metrics, spareKeeper, schemaGuard, ...ports }) =>
      provisioning({
        ...ports,
        newId,
        random: Math.random,
        admit: (organizationId, schemaVersion) => schemaGuard.admit(organizationId, schemaVersion),
        onStep: (step, organizationId) =>
          ports.logger.write('database.step_done', { step, org_id: organizationId }),
        onProvisioned: (path, seconds, serverId) => {
          metrics.observeProvisioning(path, serverId, seconds);
          spareKeeper.kick(serverId);
        },
      }),
  );
  bindSingleton(
    bind,
    TOKENS.spareKeeper,
    {
      config: TOKENS.config,
      ledger: TOKENS.spareLedger,
      servers: TOKENS.servers,
      deployment: TOKENS.deployment,
      logger: TOKENS.logger,
    },
    ({ config, servers, ...ports }) =>
      new SpareKeeper({
        servers: servers.list(),
        refill: refillSpares({ ...ports, newId, demand: config.database.spares }),
        logger: ports.logger,
      }),
  );
  const operatorPorts = {
    ledger: TOKENS.databaseLedger,
    servers: TOKENS.servers,
    deployment: TOKENS.deployment,
  };
  bindSingleton(
    bind,
    TOKENS.adoptDatabase,
    { config: TOKENS.config, ...operatorPorts },
    ({ config, ...ports }) =>
      adoptDatabase({ ...ports, newId, metadataDatabaseName: config.database.metadataUrl.database }),
  );
  bindSingleton(bind, TOKENS.retireDatabase, operatorPorts, (ports) =>
    retireDatabase({ ...ports, fingerprint }),
  );
  bindSingleton(bind, TOKENS.finishRetirement, operatorPorts, (ports) =>
    finishRetirement({ ...ports, fingerprint }),
  );
  bindSingleton(
    bind,
    TOKENS.reconcileDatabases,
    {
      ...operatorPorts,
      spares: TOKENS.spareLedger,
      provisioning: TOKENS.provisioning,
      finishRetirement: TOKENS.finishRetirement,
      metadata: TOKENS.metadataDatabase,
      operatorsLedger: TOKENS.operatorsLedger,
      logger: TOKENS.logger,
    },
    ({ provisioning: { provision }, operatorsLedger, ...ports }) =>
      recordPasses(reconcileDatabases({ ...ports, provision, newId }), {
        operatorsLedger,
        logger: ports.logger,
        now: Date.now,
      }),
  );
  bindSingleton(
    bind,
    TOKENS.rotateCredentials,
    {
      ledger: TOKENS.databaseLedger,
      spares: TOKENS.spareLedger,
      servers: TOKENS.servers,
      metadata: TOKENS.metadataDatabase,
    },
    (ports) => rotateCredentials(ports),
  );
});
