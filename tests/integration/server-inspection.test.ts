import { expect } from 'chai';
import { judgeInspection, type ServerFinding } from '../../application/servers/judge-inspection.ts';
import { DEFAULT_SERVER } from '../../domain/databases/server.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { DatabaseUrl } from '../../infrastructure/postgres/database-url.ts';
import { PgServerInspection } from '../../infrastructure/servers/server-inspection.ts';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import { watchAdminStatements } from '../support/provisioning-steps.ts';

const PASSWORD = 'a password of the test';
/** Those whose answer depends on the server that the tests are given. */
const OF_THE_SERVER = ['login', 'connections', 'wal_level', 'replication', 'public'];

describe('the inspection of a server', function () {
  this.timeout(60_000);
  let deployment: Deployment;

  beforeEach(async () => {
    deployment = await createDeployment();
  });
  afterEach(() => deployment.dispose());

  const inspect = (settings: Readonly<Record<string, string>> = {}) =>
    new PgServerInspection(deployment.start(settings).get(TOKENS.servers)).inspect(DEFAULT_SERVER);

  /** Makes a login, and the settings by which the service uses it. */
  const asLogin = async (rights: string): Promise<Readonly<Record<string, string>>> => {
    const login = deployment.databaseName('login');
    await deployment.administer(`create role "${login}" password '${PASSWORD}' ${rights}`);
    const url = DatabaseUrl.parse(deployment.environment['DB_DATABASE_URL'] ?? '')
      .withDatabase(deployment.databaseName('{org_id}'))
      .withCredentials(login, PASSWORD);
    return { DB_RESULTS_DB_TEMPLATE: url.toString() };
  };
  const problemsOf = (findings: readonly ServerFinding[]): readonly ServerFinding[] =>
    findings.filter(({ check, level }) => level !== 'ok' && !OF_THE_SERVER.includes(check));
  const judged = async (settings: Readonly<Record<string, string>>) =>
    judgeInspection(await inspect(settings), {
      hasRoles: true,
      connectionBudget: 10,
      sameClusterAs: null,
    });

  it('lets nobody into the databases by which it measures', async () => {
    const container = deployment.start();
    const statements = watchAdminStatements(container);
    await new PgServerInspection(container.get(TOKENS.servers)).inspect(DEFAULT_SERVER);
    const made = statements.filter(({ text }) => text.startsWith('create database'));
    expect(made).to.have.length(2);
    for (const { text } of made) expect(text).to.include('allow_connections false');
  });

  it('finds nothing missing for a superuser, measures, and leaves nothing behind', async () => {
    const { facts } = await inspect();
    expect(facts?.login).to.deep.include({ isSuperuser: true, connectionLimit: null });
    expect(facts?.versionNumber).to.be.at.least(130_000);
    expect(facts?.version).to.match(/^\d+\.\d+/);
    expect(facts?.systemIdentifier).to.match(/^\d{10,}$/);
    expect(facts?.otherEncodings).to.deep.equal([]);
    expect(facts?.settings.maxConnections).to.be.at.least(10);
    expect(facts?.settings.usedReplicationSlots).to.equal(0);
    expect(facts?.latencyMs).to.be.within(0.001, 1000);
    expect(facts?.clones.map(({ strategy }) => strategy)).to.deep.equal(['WAL_LOG', 'FILE_COPY']);
    for (const { ms } of facts?.clones ?? []) expect(ms).to.be.greaterThan(0);
    expect(facts?.cloneError).to.equal(null);
    expect(facts?.temporaryDatabases).to.deep.equal([]);
    expect(problemsOf(await judged({}))).to.deep.equal([]);
    expect(await deployment.databases()).to.deep.equal([]);
  });

  it('tells a login what it may not do, and the SQL that it gives mends that', async () => {
    const settings = await asLogin('login');
    const problems = problemsOf(await judged(settings));
    expect(problems.map(({ check, level }) => `${check} ${level}`)).to.deep.equal([
      'createdb missing',
      'createrole missing',
      'signal hint',
    ]);
    expect((await inspect(settings)).facts?.clones).to.deep.equal([]);
    for (const { sql } of problems) for (const statement of sql) await deployment.administer(statement);
    expect(problemsOf(await judged(settings))).to.deep.equal([]);
    expect((await inspect(settings)).facts?.clones).to.have.length(2);
  });

  it('names the databases that a check has left, and drops none', async () => {
    const left = `check.0a0b0c0d0e0f.${deployment.databaseName('').replace(/_$/, '')}`;
    await deployment.administer(`create database "${left}"`);
    const [problem] = problemsOf(await judged({}));
    expect(problem).to.deep.include({ check: 'temporary', level: 'hint', sql: [`drop database "${left}";`] });
    expect(await deployment.databases()).to.deep.equal([left]);
  });

  it('says why a login is refused, or that nobody answers', async () => {
    const closed = { DB_RESULTS_DB_TEMPLATE: 'postgresql://mad:x@127.0.0.1:1/mad_{org_id}' };
    expect(await inspect(closed)).to.deep.include({ login: 'mad', facts: null, sqlState: null });
    const [problem] = await judged(closed);
    expect(problem).to.deep.include({ check: 'login', level: 'missing', sql: [] });

    const settings = await asLogin('nologin');
    const refused = await inspect(settings);
    expect(refused).to.deep.include({
      login: deployment.databaseName('login'),
      facts: null,
      sqlState: '28000',
    });
  });
});
