import { expect } from 'chai';
import { ATTENTION_CODES, type OverviewFacts } from '../../../application/operators/attention-item.ts';
import { needsAttention } from '../../../application/operators/attention.ts';
import type { OrganizationGroup, Standing } from '../../../application/ports/operators/operators-ledger.ts';
import type { ProcessBeat, ProcessFacts } from '../../../application/ports/operators/process-ledger.ts';
import type { ServerView } from '../../../application/servers/server-view.ts';
import { parseServerId } from '../../../domain/databases/server.ts';
import { organization } from '../../support/fakes/fake-service.ts';
import { idleProcess } from '../../support/fakes/fake-operators.ts';
import { newServerRecord } from '../../support/fakes/fake-servers.ts';

const EU = parseServerId('eu');
const AT = new Date('2026-01-02T03:04:05.678Z');

const server = (fields: Partial<ServerView> = {}): ServerView => ({
  ...newServerRecord(EU),
  databases: 41,
  isConfigured: true,
  isAvailable: true,
  problems: [],
  connections: { open: 3, share: 80, waiting: 0 },
  ...fields,
});

const group = (fields: Partial<OrganizationGroup> = {}): OrganizationGroup => ({
  status: 'active',
  serverId: EU,
  state: 'ready',
  schemaVersion: 2,
  count: 41,
  sample: [organization('acme'), organization('umbra')],
  ...fields,
});

const beat = (fields: Partial<ProcessFacts> = {}, ageSeconds = 1): ProcessBeat => ({
  ...idleProcess(fields),
  instanceId: 'first',
  startedAt: AT,
  beatAt: AT,
  ageSeconds,
});

const NO_FINDING: Standing['pass'] = { origin: 'start', dryRun: false, endedAt: AT, summary: {} };
const run = (fields: Partial<NonNullable<Standing['run']>> = {}): Standing['run'] => ({
  runId: 12,
  kind: 'migrate',
  state: 'running',
  reason: null,
  isServed: false,
  counts: { pending: 3, running: 0, deferred: 0, done: 1, failed: 2 },
  ...fields,
});

const facts = ({
  standing = {},
  ...fields
}: Partial<Omit<OverviewFacts, 'standing'>> & { standing?: Partial<Standing> } = {}): OverviewFacts => ({
  groups: [group()],
  servers: [server()],
  schemas: { oldest: 2, newest: 3, current: 2 },
  isFeedBehind: false,
  ...fields,
  standing: { processes: [beat()], run: null, pass: NO_FINDING, ...standing },
});

const said = (changes: Parameters<typeof facts>[0]) =>
  needsAttention(facts(changes)).map(({ code, severity, organizations }) => [code, severity, organizations]);

describe('What needs an operator', () => {
  it('is nothing where all is well', () => {
    expect(needsAttention(facts())).to.deep.equal([]);
  });

  it('is a server that does not answer, with how many organizations are refused', () => {
    const [first] = needsAttention(
      facts({
        servers: [server({ isAvailable: false })],
        groups: [group(), group({ status: 'suspended', count: 5 }), group({ serverId: null, state: null })],
      }),
    );
    expect(first).to.include({
      code: 'server_unavailable',
      severity: 'critical',
      serverId: EU,
      organizations: 41,
      sentence: 'The server eu does not answer: 41 organizations are refused.',
    });
    expect(first?.sample).to.deep.equal(['acme', 'umbra']);
    expect(first?.nextStep).to.include('npx mad servers check eu');
  });

  it('is a server that answers this process, and not another one that is alive', () => {
    const servers = [{ serverId: EU, circuit: 'open', open: 0, share: 40, waiting: 0 } as const];
    expect(said({ standing: { processes: [beat(), beat({ servers })] } })).to.deep.equal([
      ['server_unavailable', 'critical', 41],
    ]);
    expect(said({ standing: { processes: [beat({ servers }, 16)] } })).to.deep.equal([
      ['process_silent', 'warning', null],
    ]);
  });

  it('is a server with databases that nobody configured, and none without databases', () => {
    const changed = { isConfigured: false, isAvailable: false };
    expect(said({ servers: [server(changed), server()] })[0]).to.deep.equal([
      'server_not_configured',
      'critical',
      41,
    ]);
    expect(said({ servers: [server({ ...changed, databases: 0 }), server()] })).to.deep.equal([]);
  });

  it('is a server that answers with something wrong, or none that takes new databases', () => {
    expect(said({ servers: [server({ problems: ['disk_full', 'cannot_create_roles'] })] })).to.deep.equal([
      ['server_problem', 'critical', 41],
      ['server_problem', 'warning', 41],
    ]);
    expect(said({ servers: [server({ maxDatabases: 41 })] })).to.deep.equal([
      ['no_server_takes_databases', 'warning', null],
    ]);
    expect(said({ servers: [server({ maxDatabases: 42 })] })).to.deep.equal([]);
  });

  it('is what the reconciler has found and not mended', () => {
    const summary = {
      missing: { reported: 1 },
      orphan: { quarantined: 2, failed: 1 },
      foreign: { reported: 3 },
    };
    expect(said({ standing: { pass: { ...NO_FINDING, summary } } })).to.deep.equal([
      ['databases_missing', 'critical', 1],
      ['findings', 'warning', null],
    ]);
    const sentences = (dryRun: boolean) =>
      needsAttention(facts({ standing: { pass: { ...NO_FINDING, dryRun, summary } } })).map(
        ({ sentence }) => sentence,
      );
    expect(sentences(false)[1]).to.equal('4 findings of the reconciler: 1 orphan, 3 foreign.');
    expect(sentences(true)[1]).to.equal('6 findings of the reconciler: 3 orphan, 3 foreign.');
    expect(said({ standing: { pass: null } })).to.deep.equal([['servers_not_compared', 'notice', null]]);
  });

  it('is a run that has halted, is paused, or that nobody works on', () => {
    const of = (fields: Parameters<typeof run>[0]) => said({ standing: { run: run(fields) } });
    expect(of({ state: 'halted', reason: 'a canary failed' })).to.deep.equal([
      ['migration_halted', 'warning', 2],
    ]);
    expect(of({ state: 'paused' })).to.deep.equal([['migration_paused', 'warning', null]]);
    expect(of({})).to.deep.equal([['migration_abandoned', 'warning', null]]);
    expect(of({ isServed: true })).to.deep.equal([]);
    expect(of({ counts: { pending: 3, running: 1, deferred: 0, done: 0, failed: 0 } })).to.deep.equal([]);
  });

  it('is a database that could not be made, or whose schema this release does not serve', () => {
    const of = (fields: Partial<OrganizationGroup>) => said({ groups: [group(fields)] });
    expect(of({ state: 'failed', schemaVersion: null, count: 2 })).to.deep.equal([
      ['databases_failed', 'critical', 2],
    ]);
    expect(of({ state: 'failed', status: 'suspended' })).to.deep.equal([]);
    expect(of({ schemaVersion: 1 })).to.deep.equal([['schema_too_old', 'critical', 41]]);
    expect(of({ schemaVersion: 4 })).to.deep.equal([['schema_too_new', 'critical', 41]]);
    expect(of({ schemaVersion: 3 })).to.deep.equal([]);
    expect(said({ schemas: { oldest: 1, newest: 4, current: 3 } })).to.deep.equal([
      ['schema_behind', 'notice', 41],
    ]);
  });

  it('is an organization of which every request fails, named with the cause', () => {
    const failing = [{ organizationId: organization('umbra'), code: 'database_unavailable', failures: 3 }];
    const [first] = needsAttention(
      facts({ standing: { processes: [beat({ failing }), beat({ failing })] } }),
    );
    expect(first).to.include({
      code: 'organizations_failing',
      organizations: 1,
      sentence: 'All requests of 1 organization fail: umbra (database_unavailable).',
    });
    expect(first?.nextStep).to.include('GET /admin/databases/umbra');
  });

  it('is a budget that is spent, releases side by side, and changes that are heard of late', () => {
    const servers = [{ serverId: EU, circuit: 'closed', open: 40, share: 40, waiting: 3 } as const];
    const processes = [beat({ servers }), beat({ servers, version: '1.3.0' })];
    expect(said({ standing: { processes }, isFeedBehind: true })).to.deep.equal([
      ['connections_exhausted', 'warning', 6],
      ['changes_late', 'warning', null],
      ['releases_differ', 'notice', null],
    ]);
  });

  it('comes in one order, the worst first', () => {
    const all = needsAttention(
      facts({
        servers: [server({ isAvailable: false, problems: ['disk_full'], maxDatabases: 0 })],
        standing: { run: run({ state: 'halted' }), pass: null },
        groups: [group(), group({ state: 'failed' })],
      }),
    );
    const ranks = all.map(({ severity, code }) => [
      ['critical', 'warning', 'notice'].indexOf(severity),
      ATTENTION_CODES.indexOf(code),
    ]);
    expect(ranks).to.deep.equal(ranks.toSorted(([a = 0, b = 0], [c = 0, d = 0]) => a - c || b - d));
    expect(new Set(all.map(({ severity }) => severity)).size).to.equal(3);
  });
});
