import { expect } from 'chai';
import type { ServerFacts } from '../../../application/ports/databases/server-inspection.ts';
import { checkServer } from '../../../application/servers/check-server.ts';
import {
  judgeInspection,
  type ServerFinding,
  type ServerNeeds,
} from '../../../application/servers/judge-inspection.ts';
import { ServerNotFoundError } from '../../../domain/databases/errors.ts';
import { DEFAULT_SERVER, parseServerId } from '../../../domain/databases/server.ts';
import { FakeMetadata } from '../../support/fakes/fake-metadata.ts';
import { FakeServers, fakeServer } from '../../support/fakes/fake-servers.ts';
import { rejectionOf } from '../../support/gate.ts';

const EU = parseServerId('eu');
const GOOD: ServerFacts = {
  login: {
    isSuperuser: false,
    mayCreateDatabases: true,
    mayCreateRoles: true,
    maySignalBackends: true,
    connectionLimit: null,
  },
  version: '18.1',
  versionNumber: 180_001,
  settings: {
    maxConnections: 100,
    reservedConnections: 3,
    walLevel: 'logical',
    maxReplicationSlots: 10,
    usedReplicationSlots: 0,
    maxWalSenders: 10,
    usedWalSenders: 1,
  },
  otherEncodings: [],
  publicDatabases: [],
  systemIdentifier: '42',
  latencyMs: 0.42,
  clones: [
    { strategy: 'WAL_LOG', ms: 41.2 },
    { strategy: 'FILE_COPY', ms: 120.4 },
  ],
  cloneError: null,
  temporaryDatabases: [],
};
const NEW_LOGIN = [
  `create role "m""d" login createdb password 'PASSWORD'; -- unless it exists`,
  `alter role "m""d" login password 'PASSWORD';`,
];
const NEEDS: ServerNeeds = { hasRoles: true, connectionBudget: 80, sameClusterAs: null };

const judge = (facts: Partial<ServerFacts> = {}, needs: Partial<ServerNeeds> = {}) =>
  judgeInspection({ login: 'mad', facts: { ...GOOD, ...facts } }, { ...NEEDS, ...needs });
const only = (findings: readonly ServerFinding[]): ServerFinding => {
  const [finding, ...others] = findings.filter(({ level }) => level !== 'ok');
  expect(others).to.deep.equal([]);
  if (finding === undefined) throw new Error('nothing was found');
  return finding;
};
const login = (fields: Partial<ServerFacts['login']>) => ({ login: { ...GOOD.login, ...fields } });
const settings = (fields: Partial<ServerFacts['settings']>) => ({
  settings: { ...GOOD.settings, ...fields },
});

describe('what is missing on a server', () => {
  it('is nothing when all is there, and each thing is named', () => {
    const findings = judge();
    expect(new Set(findings.map(({ level }) => level))).to.deep.equal(new Set(['ok']));
    expect(findings.map(({ check }) => check)).to.deep.equal([
      'login',
      'version',
      'cluster',
      'createdb',
      'createrole',
      'signal',
      'connections',
      'encoding',
      'public',
      'clone',
      'wal_level',
      'replication',
      'temporary',
    ]);
    const clone = findings.find(({ check }) => check === 'clone');
    expect(clone?.message).to.equal(
      'an empty database is cloned in 41 ms by WAL_LOG, in 120 ms by FILE_COPY',
    );
  });

  for (const [sqlState, sql] of [
    ['28P01', NEW_LOGIN],
    ['28000', NEW_LOGIN],
    ['42501', ['grant connect on database postgres to "m""d";']],
    ['3D000', ['create database postgres;']],
    ['53300', []],
    [null, []],
  ] as const) {
    it(`is the login alone when it fails with ${sqlState ?? 'no answer'}`, () => {
      const inspection = { login: 'm"d', facts: null, sqlState, reason: 'refused' };
      expect(judgeInspection(inspection, NEEDS)).to.deep.equal([
        {
          check: 'login',
          level: 'missing',
          message: '"m"d" cannot log in to the database "postgres": refused',
          sql,
        },
      ]);
    });
  }

  it('may be a right, which superusers do not need', () => {
    for (const [fields, check, level, sql] of [
      [{ mayCreateDatabases: false }, 'createdb', 'missing', 'alter role "mad" createdb;'],
      [{ mayCreateRoles: false }, 'createrole', 'missing', 'alter role "mad" createrole;'],
      [{ maySignalBackends: false }, 'signal', 'hint', 'grant pg_signal_backend to "mad";'],
    ] as const) {
      expect(only(judge(login(fields)))).to.deep.include({ check, level, sql: [sql] });
      const superuser = judge(login({ ...fields, isSuperuser: true }));
      expect(superuser.filter((finding) => finding.level !== 'ok')).to.deep.equal([]);
    }
    expect(
      judge(login({ mayCreateRoles: false }), { hasRoles: false }).map(({ check }) => check),
    ).not.to.include('createrole');
  });

  it('may be a newer version, or the same cluster under another name, which no SQL mends', () => {
    expect(only(judge({ versionNumber: 120_022, version: '12.22' }))).to.include({
      check: 'version',
      level: 'missing',
      message: 'PostgreSQL 12.22: it has to be 13 or newer',
    });
    expect(only(judge({}, { sameClusterAs: EU })).message).to.match(/same cluster as the server "eu"/);
    expect(only(judge({ systemIdentifier: null }))).to.include({ check: 'cluster', level: 'hint' });
  });

  it('may be connections: of the server, or of the login', () => {
    expect(judge({}, { connectionBudget: 93 }).find(({ check }) => check === 'connections')?.level).to.equal(
      'ok',
    );
    expect(only(judge({}, { connectionBudget: 94 }))).to.deep.include({
      check: 'connections',
      level: 'missing',
      sql: ['alter system set max_connections = 110;'],
    });
    expect(only(judge(login({ connectionLimit: 83 })))).to.deep.include({
      check: 'connections',
      sql: ['alter role "mad" connection limit -1;'],
    });
    expect(only(judge(login({ connectionLimit: 10 }), { connectionBudget: 200 })).sql).to.have.length(2);
  });

  it('may be databases in another encoding, whatever new ones are made of', () => {
    const finding = only(judge({ otherEncodings: [{ name: 'mad_results_acme', encoding: 'LATIN1' }] }));
    expect(finding).to.deep.include({ check: 'encoding', level: 'missing', sql: [] });
    expect(finding.message).to.include('"mad_results_acme" (LATIN1)');
  });

  it('may be databases that an organization’s role can come to; the service keeps its own way there', () => {
    const open = { publicDatabases: ['postgres', 'template1'] };
    expect(only(judge(open))).to.deep.include({
      check: 'public',
      level: 'hint',
      sql: [
        'revoke connect, temporary on database "postgres" from public;',
        'grant connect on database "postgres" to "mad";',
        'revoke connect, temporary on database "template1" from public;',
      ],
    });
    const shared = judge(open, { hasRoles: false });
    expect(shared.filter(({ level }) => level !== 'ok')).to.deep.equal([]);
  });

  it('may be a schema in which everybody may make tables, before version 15', () => {
    const old = { versionNumber: 140_023, version: '14.23' };
    expect(only(judge(old))).to.deep.include({
      check: 'schema',
      level: 'hint',
      sql: ['revoke create on schema public from public;'],
    });
    const findings = [
      ...judge({ ...old, ...login({ isSuperuser: true }) }),
      ...judge(old, { hasRoles: false }),
    ];
    expect(findings.filter(({ level }) => level !== 'ok')).to.deep.equal([]);
  });

  it('may be that no database can be cloned', () => {
    expect(only(judge({ cloneError: 'no space left on device' }))).to.include({
      check: 'clone',
      level: 'missing',
      message: 'a database could not be cloned: no space left on device',
    });
  });

  it('is only hinted at where the service works without it', () => {
    for (const [facts, check, ...sql] of [
      [{ latencyMs: 20 }, 'login'],
      [settings({ walLevel: 'replica' }), 'wal_level', `alter system set wal_level = 'logical';`],
      [settings({ usedReplicationSlots: 10 }), 'replication', 'alter system set max_replication_slots = 20;'],
      [settings({ maxWalSenders: 1 }), 'replication', 'alter system set max_wal_senders = 11;'],
      [{ temporaryDatabases: ['check.0a.mad'] }, 'temporary', 'drop database "check.0a.mad";'],
    ] as const)
      expect(only(judge(facts))).to.deep.include({ check, level: 'hint', sql });
  });
});

describe('the check of a server', () => {
  const check = (metadata: FakeMetadata, servers: FakeServers, facts: Partial<ServerFacts> = {}) =>
    checkServer({
      servers,
      metadata,
      serverInspection: { inspect: async () => ({ login: 'mad', facts: { ...GOOD, ...facts } }) },
    });

  it('knows the clusters of the other servers, and is made before a server is recorded', async () => {
    const metadata = new FakeMetadata();
    const servers = new FakeServers();
    servers.configured.push(fakeServer(EU));
    expect((await check(metadata, servers)(EU)).filter(({ level }) => level !== 'ok')).to.deep.equal([]);
    await metadata.serverLedger.identify(DEFAULT_SERVER, '42');
    expect(only(await check(metadata, servers)(EU)).message).to.match(/same cluster as the server "default"/);
    const itself = await check(metadata, servers)(DEFAULT_SERVER);
    expect(itself.filter(({ level }) => level !== 'ok')).to.deep.equal([]);
  });

  it('says which variable is missing for a recorded server, and knows no other', async () => {
    const metadata = new FakeMetadata();
    await metadata.serverLedger.register([EU]);
    expect(only(await check(metadata, new FakeServers())(EU))).to.include({
      check: 'address',
      level: 'missing',
      message: 'it has no address here: set DB_RESULTS_DB_TEMPLATE_EU',
    });
    const unknown = await rejectionOf(check(metadata, new FakeServers())(parseServerId('us')));
    expect(unknown).to.be.instanceOf(ServerNotFoundError);
  });
});
