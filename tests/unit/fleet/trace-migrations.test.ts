import { expect } from 'chai';
import { traceMigrations } from '../../../application/fleet/trace-migrations.ts';
import type { MigrationOutcome } from '../../../application/ports/fleet/database-migrator.ts';
import type { Span, SpanAttributes } from '../../../application/ports/runtime/tracing.ts';
import { parseOrganizationId } from '../../../domain/organizations/organization-id.ts';
import { DEFAULT_SERVER } from '../../../domain/databases/server.ts';

const TARGET = {
  organizationId: parseOrganizationId('acme', 51),
  serverId: DEFAULT_SERVER,
  databaseName: 'mad_results_acme',
  stamp: 'a stamp',
  generation: 1,
  toVersion: 3,
};

describe('The trace of a migration', () => {
  const record = async (outcome: MigrationOutcome, namesOrganizations = false) => {
    const seen: Record<string, unknown> = {};
    const add = (attributes: SpanAttributes): void => void Object.assign(seen, attributes);
    const span: Span = {
      traceId: '',
      headers: {},
      begin: () => span,
      add: () => undefined,
      rename: () => undefined,
      set: add,
      fail: (type) => add({ failed: type }),
      end: () => add({ ended: true }),
    };
    const migrator = traceMigrations(
      { newestVersion: () => Promise.resolve(3), migrate: () => Promise.resolve(outcome) },
      {
        namesOrganizations,
        begin: (name, attributes = {}) => {
          add({ name, ...attributes });
          return span;
        },
      },
    );
    expect(await migrator.migrate(TARGET)).to.equal(outcome);
    return seen;
  };

  it('says where it ran and what came of it, and not on whose database', async () => {
    expect(await record({ kind: 'done', schemaVersion: 3, applied: ['0003_a'], reason: null })).to.deep.equal(
      {
        name: 'fleet.migrate',
        'server.address': 'default',
        'mad.to_version': 3,
        'mad.outcome': 'done',
        'mad.applied': 1,
        ended: true,
      },
    );
  });

  it('is that of a failure when the database could not be migrated, and names the organization where that is wanted', async () => {
    const outcome = { kind: 'failed', schemaVersion: 2, applied: [], reason: 'a sentence' } as const;
    expect(await record(outcome, true)).to.include({ failed: 'failed', 'mad.org_id': 'acme', ended: true });
  });
});
