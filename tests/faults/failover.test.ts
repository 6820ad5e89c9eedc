import { expect } from 'chai';
import { DatabaseError } from '../../domain/exceptions.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import type { DatabaseConnectionManager } from '../../infrastructure/routing/database-connection-manager.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { until } from '../support/gate.ts';
import type { Job, Problem } from '../support/http-contract.ts';
import { HttpService, type Caller } from '../support/http-service.ts';
import { ALL_JOBS } from '../support/sample-job.ts';
import { defaultServer } from '../support/servers.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { startReplicatedServers, type ReplicatedServers } from '../support/replicated-server.ts';
import type { Reply } from '../support/send.ts';

const SUBMISSION = { engine: 'vina', inputs: { ligand: 'CCO' } };

describe('The primary moves to another server', function () {
  this.timeout(60_000);
  let servers: ReplicatedServers;
  let deployment: Deployment;
  let service: HttpService;

  before(async () => {
    servers = await startReplicatedServers();
    deployment = await createDeployment({}, { url: servers.url });
    await deployment.register('acme', 'umbra');
    service = await HttpService.start(deployment, ['acme', 'umbra']);
  });
  after(async () => {
    // What a failed test leaves may not be tidied up; the servers have to go in any case.
    try {
      await service?.close();
      await deployment?.dispose();
    } finally {
      await servers?.remove();
    }
  });

  const member = (organization: string): Caller =>
    service.as(deployment.token(organization, ['member', 'worker']));
  const submit = (organization: string): Promise<Reply<Job & Problem>> =>
    member(organization).post<Job & Problem>('/jobs', SUBMISSION);
  const submitted = async (organization: string): Promise<Job> => {
    let reply = await submit(organization);
    await until(`${organization} is served again`, async () => {
      if (reply.status === 503) reply = await submit(organization);
      return reply.status !== 503;
    });
    expect(reply.status, reply.text).to.equal(201);
    return reply.body;
  };
  const jobsOf = async (organization: string): Promise<readonly string[]> => {
    const { body } = await member(organization).get<{ items: readonly Job[] }>('/jobs');
    return body.items.map(({ job_id }) => job_id);
  };

  it('failover-finds-the-primary-again-after-it-moved', async () => {
    const { primary, standby } = servers;
    const first = await submitted('acme');

    // As a planned move begins: the sessions stay, and what they write is refused.
    await primary.query('alter system set default_transaction_read_only = on');
    await primary.query('select pg_reload_conf()');
    let refused = await submit('acme');
    await until('writes are refused', async () => {
      if (refused.status === 201) refused = await submit('acme');
      return refused.status !== 201;
    });
    expect([refused.status, refused.body.code]).to.deep.equal([503, 'database_unavailable']);

    await primary.stop();
    expect((await submit('umbra')).status).to.equal(503);
    await standby.query('select pg_promote()');

    const second = await submitted('acme');
    expect(await jobsOf('acme')).to.include.members([first.job_id, second.job_id]);
    // A database is made there as well.
    await submitted('umbra');

    // The former primary is back, first in the list and a standby: it is passed over.
    await primary.follow(standby);
    await standby.query(
      `select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name like 'mad %'`,
    );
    const third = await submitted('acme');
    expect(await jobsOf('acme')).to.include.members([first.job_id, second.job_id, third.job_id]);
    const sessions = await standby.query(
      `select from pg_stat_activity where datname = '${deployment.databaseName('acme')}'`,
    );
    expect(sessions).to.not.be.empty;
  });
});

describe('The first of the servers in the URL says nothing any more', function () {
  this.timeout(60_000);
  const [ACME, BETA, UNSEEN] = [organizationId('acme'), organizationId('beta'), organizationId('unseen')];
  const IDS = [ACME, BETA, UNSEEN];
  const BUDGET = 6;
  let deployment: Deployment;
  let first: TcpProxy;

  beforeEach(async () => {
    deployment = await createDeployment({
      DB_CONNECTION_BUDGET: String(BUDGET),
      DB_STATEMENT_TIMEOUT_MS: '1000',
    });
    await deployment.register(...IDS);
    const manager = deployment.start().get(TOKENS.connectionManager);
    for (const id of IDS) await manager.provision(id);
    await manager.closeAll();
    first = await startTcpProxy(deployment.environment['DB_DATABASE_URL'] ?? '');
  });
  afterEach(async () => {
    await first.resume();
    await deployment.dispose();
    first.close();
  });

  /** The same server twice, by way of the proxy and straight. */
  const listed = (variable: 'DB_DATABASE_URL' | 'DB_RESULTS_DB_TEMPLATE'): Record<string, string> => {
    const url = deployment.environment[variable] ?? '';
    const [, host = ''] = /@([^/]+)\//.exec(url) ?? [];
    return {
      [variable]: `${url.replace(host, `${first.host}:${first.port},${host}`)}?target_session_attrs=read-write`,
    };
  };
  const read = async (manager: DatabaseConnectionManager, id: OrganizationId): Promise<string> => {
    try {
      const { database, release } = await manager.acquire(id);
      await database.jobs.list(...ALL_JOBS).finally(release);
      return 'served';
    } catch (error) {
      return error instanceof DatabaseError ? error.code : String(error);
    }
  };

  it('failover-finds-the-primary-again-after-it-moved: the second serves, with the whole budget', async () => {
    const container = deployment.start({ ...listed('DB_DATABASE_URL'), ...listed('DB_RESULTS_DB_TEMPLATE') });
    await container.get(TOKENS.servers).start();
    const manager = container.get(TOKENS.connectionManager);
    const all = () => Promise.all([ACME, ACME, BETA].map((id) => read(manager, id)));
    expect(await all()).to.deep.equal(['served', 'served', 'served']);
    const seen = new Set<string>();

    first.stall();
    await until('all are served', async () => {
      const outcomes = await all();
      for (const outcome of outcomes) seen.add(outcome);
      return outcomes.every((outcome) => outcome === 'served');
    });
    expect([...seen], 'it is the server that is blamed').to.not.include('connection_budget_exhausted');
    await until(
      'an organization that was not there yet is served',
      async () => (await read(manager, UNSEEN)) === 'served',
    );
    await until(
      'the deployment sees this process again',
      () => defaultServer(container).budget.limit === BUDGET,
    );
    expect(defaultServer(container).breaker.state).to.equal('closed');

    // And so it stays: nobody comes to the silent one any more.
    const { sessions } = defaultServer(container).control;
    const { connects } = first;
    for (let beat = 0; beat < 3; beat += 1) {
      await defaultServer(container).share.heartbeat();
      manager.sweep();
      expect(await all()).to.deep.equal(['served', 'served', 'served']);
    }
    expect([defaultServer(container).control.sessions, first.connects]).to.deep.equal([sessions, connects]);
  });
});
