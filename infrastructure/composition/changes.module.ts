import { ContainerModule } from 'inversify';
import { OrganizationWatch } from '../../application/organizations/organization-watch.ts';
import { MetadataChangeFeed } from '../changes/metadata-change-feed.ts';
import { bindSingleton } from './singleton.ts';
import { TOKENS } from './tokens.ts';

export const changesModule = new ContainerModule(({ bind }) => {
  bindSingleton(
    bind,
    TOKENS.changeFeed,
    { config: TOKENS.config, connector: TOKENS.metadataConnector, logger: TOKENS.logger },
    ({ config, connector, logger }) =>
      new MetadataChangeFeed({
        connect: () => connector.toChanges(),
        answerDeadlineMs: config.database.connectTimeoutMs,
        logger,
      }),
  );
  bindSingleton(
    bind,
    TOKENS.organizationPolicies,
    { metadata: TOKENS.metadataDatabase, feed: TOKENS.changeFeed },
    ({ metadata, feed }) => new OrganizationWatch({ organizations: metadata.organizations, feed }),
  );
});
