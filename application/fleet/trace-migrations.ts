import type { DatabaseMigrator } from '../ports/fleet/database-migrator.ts';
import type { Tracing } from '../ports/runtime/tracing.ts';

/** The same migrator, with a trace of each attempt on a database. */
export const traceMigrations = (
  migrator: DatabaseMigrator,
  tracing: Pick<Tracing, 'begin' | 'namesOrganizations'>,
): DatabaseMigrator => ({
  newestVersion: () => migrator.newestVersion(),
  migrate: async (target) => {
    const span = tracing.begin('fleet.migrate', {
      'server.address': target.serverId,
      'mad.to_version': target.toVersion,
      ...(tracing.namesOrganizations && { 'mad.org_id': target.organizationId }),
    });
    const outcome = await migrator.migrate(target);
    span?.set({ 'mad.outcome': outcome.kind, 'mad.applied': outcome.applied.length });
    if (outcome.kind === 'failed') span?.fail(outcome.kind);
    span?.end();
    return outcome;
  },
});
