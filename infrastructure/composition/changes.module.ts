import { ContainerModule } from 'inversify';
import { MetadataChangeFeed } from '../changes/metadata-change-feed.ts';
import { OrganizationWatch } from '../changes/organization-watch.ts';
import { TOKENS } from './tokens.ts';

export const changesModule = new ContainerModule(({ bind }) => {
  bind(TOKENS.changeFeed)
    .toResolvedValue(
      (connector, logger) => new MetadataChangeFeed({ connect: () => connector.toChanges(), logger }),
      [TOKENS.connector, TOKENS.logger],
    )
    .inSingletonScope()
    .onDeactivation((feed) => feed.close());
  bind(TOKENS.organizationPolicies)
    .toResolvedValue(
      (metadata, feed) => {
        const watch = new OrganizationWatch(metadata.organizations);
        feed.subscribe(watch);
        return watch;
      },
      [TOKENS.metadataDatabase, TOKENS.changeFeed],
    )
    .inSingletonScope();
});
