import { ContainerModule } from 'inversify';
import { MetadataChangeFeed } from '../changes/metadata-change-feed.ts';
import { OrganizationWatch } from '../changes/organization-watch.ts';
import { bindSingleton } from './singleton.ts';
import { TOKENS } from './tokens.ts';

export const changesModule = new ContainerModule(({ bind }) => {
  bindSingleton(
    bind,
    TOKENS.changeFeed,
    { connector: TOKENS.metadataConnector, logger: TOKENS.logger },
    ({ connector, logger }) => new MetadataChangeFeed({ connect: () => connector.toChanges(), logger }),
  );
  bindSingleton(
    bind,
    TOKENS.organizationPolicies,
    { metadata: TOKENS.metadataDatabase, feed: TOKENS.changeFeed },
    ({ metadata, feed }) => {
      const watch = new OrganizationWatch(metadata.organizations);
      feed.subscribe(watch);
      return watch;
    },
  );
});
