import { logOperations } from '../../adapters/knex/logged-database.ts';
import { createResultsDatabase } from '../../adapters/knex/results/knex-results-database.ts';
import type { SqlDatabase } from '../../adapters/knex/statement.ts';
import { watchWrites } from '../../adapters/knex/watched-database.ts';
import type { Logger } from '../../application/ports/logger.ts';
import type { ResultsDatabase } from '../../application/ports/results-database.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import type { Config } from '../config/config.ts';
import type { AuditCarrier } from '../lifecycle/audit-carrier.ts';

const logsOperations = ({ logLevel }: Config): boolean => logLevel === 'debug' || logLevel === 'trace';

/** The metadata database, with a line for every operation when somebody wants to read them. */
export const observedMetadata = (database: SqlDatabase, config: Config, logger: Logger): SqlDatabase =>
  logsOperations(config)
    ? logOperations(database, logger, { database: config.database.metadataUrl.database })
    : database;

/** What makes an organization's repositories over its pool. */
export const resultsDatabaseBuilder = (config: Config, carrier: AuditCarrier, logger: Logger) => {
  const { resultsTemplate } = config.database;
  const observed = (database: SqlDatabase, organizationId: OrganizationId): SqlDatabase =>
    logsOperations(config)
      ? logOperations(database, logger, {
          database: resultsTemplate.databaseNameFor(organizationId),
          org_id: organizationId,
        })
      : database;
  return (database: SqlDatabase, organizationId: OrganizationId): ResultsDatabase =>
    createResultsDatabase(
      watchWrites(observed(database, organizationId), carrier.watcherFor(organizationId)),
    );
};
