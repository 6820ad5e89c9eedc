import { expect } from 'chai';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import { until } from '../support/gate.ts';
import type { Job, Problem } from '../support/http-contract.ts';
import { HttpService, type Caller } from '../support/http-service.ts';
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
    deployment = await createDeployment({}, servers.url);
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
