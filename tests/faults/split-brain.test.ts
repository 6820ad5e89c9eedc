import { expect } from 'chai';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { DatabaseConnectionError } from '../../domain/exceptions.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { until } from '../support/gate.ts';
import { HttpService } from '../support/http-service.ts';
import { ALL_JOBS } from '../support/sample-job.ts';
import { defaultServer } from '../support/servers.ts';
import { startReplicatedServers, type ReplicatedServers } from '../support/replicated-server.ts';

const ACME = organizationId('acme');
const JOB = { engine: 'vina', inputs: { ligand: 'CCO' } };

describe('A standby is promoted while the primary goes on', function () {
  this.timeout(60_000);
  let servers: ReplicatedServers;
  let deployment: Deployment;
  const services: HttpService[] = [];

  beforeEach(async () => {
    servers = await startReplicatedServers();
    deployment = await createDeployment({}, { url: servers.url });
    await deployment.register('acme');
  });
  afterEach(async () => {
    try {
      for (const service of services.splice(0)) await service.close();
      // What was written on two servers is not tidied up: both are removed.
      await deployment.stop();
    } finally {
      await servers.remove();
    }
  });

  const open = async (settings: Readonly<Record<string, string>> = {}): Promise<HttpService> => {
    const service = await HttpService.start(deployment, ['acme'], settings);
    services.push(service);
    return service;
  };
  const submit = (service: HttpService) =>
    service.as(deployment.token('acme', ['member'])).post<{ job_id: string }>('/jobs', JOB);
  /** In the organization's database as one of the servers has it. */
  const jobsOn = async (server: ReplicatedServers['primary']): Promise<readonly string[]> => {
    const rows = await server.query(
      'select job_id::text as id from docking_jobs',
      deployment.databaseName('acme'),
    );
    return (rows as readonly { id: string }[]).map(({ id }) => id);
  };

  /** The database itself may be on its way. */
  const replicated = (jobId: string): Promise<void> =>
    until('the standby has the job', async () => {
      const jobs = await jobsOn(servers.standby).catch((): readonly string[] => []);
      return jobs.includes(jobId);
    });

  it('processes that have looked at both write to the promoted one alone', async () => {
    const { primary, standby } = servers;
    const service = await open();
    const before = await submit(service);
    expect(before.status, before.text).to.equal(201);
    await replicated(before.body.job_id);

    await standby.query('select pg_promote()');
    await service.container.get(TOKENS.clusterSurvey).look();

    let after = await submit(service);
    await until('writes are taken', async () => {
      if (after.status !== 201) after = await submit(service);
      return after.status === 201;
    });
    expect(await jobsOn(standby)).to.include(after.body.job_id);
    expect(await jobsOn(primary)).to.deep.equal([before.body.job_id]);
  });

  it('a process that begins then goes to the promoted one, although the other is first in its URLs', async () => {
    const { primary, standby } = servers;
    const first = await open();
    const before = await submit(first);
    await replicated(before.body.job_id);
    await standby.query('select pg_promote()');

    const container = deployment.start();
    const service = await HttpService.running(container, ['acme']);
    services.push(service);
    const after = await submit(service);
    expect(after.status, after.text).to.equal(201);
    expect(await jobsOn(standby)).to.include(after.body.job_id);
    expect(await jobsOn(primary)).to.not.include(after.body.job_id);
  });
});

describe('A results server that writes an earlier timeline than another process has seen', function () {
  this.timeout(60_000);
  let deployment: Deployment;

  before(async () => {
    deployment = await createDeployment();
    await deployment.register('acme');
  });
  after(() => deployment.dispose());

  it('is not used', async () => {
    const manager = deployment.start().get(TOKENS.connectionManager);
    const { release } = await manager.acquire(ACME);
    release();
    await deployment.metadata(
      'update results_servers set timeline = 1000, timeline_system_identifier = system_identifier',
    );

    const container = deployment.start();
    const other = container.get(TOKENS.connectionManager);
    await container.get(TOKENS.servers).start();
    const read = async (): Promise<void> => {
      const { database, release: giveBack } = await other.acquire(ACME);
      await database.jobs.list(...ALL_JOBS).finally(giveBack);
    };
    let refusal: unknown = null;
    await until('it is refused', async () => {
      await read().catch((error: unknown) => (refusal = error));
      return refusal !== null;
    });

    expect(refusal).to.be.instanceOf(DatabaseConnectionError);
    await until('it counts as away', () => !defaultServer(container).isAvailable);
  });
});
