import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { expect } from 'chai';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import { until } from '../support/gate.ts';
import type { Job, Problem } from '../support/http-contract.ts';
import { HttpService } from '../support/http-service.ts';
import { needsProgram, startHaProxyToPrimary, type MiddleProgram } from '../support/programs.ts';
import {
  startReplicatedServers,
  type ReplicatedServer,
  type ReplicatedServers,
} from '../support/replicated-server.ts';
import type { Reply } from '../support/send.ts';

const JOB = { engine: 'vina', inputs: { ligand: 'CCO' } };

describe('A primary dies, and its standby is promoted', function () {
  this.timeout(60_000);
  let servers: ReplicatedServers;
  let deployment: Deployment;
  let service: HttpService;

  beforeEach(async () => {
    servers = await startReplicatedServers();
  });
  afterEach(async () => {
    try {
      await service?.close();
      // What was written on two servers is not tidied up: both are removed.
      await deployment?.stop();
    } finally {
      await servers.remove();
    }
  });

  /** @param addressOf what the service is given in place of a URL that names both */
  const start = async (addressOf: (url: string) => string = (url) => url): Promise<void> => {
    deployment = await createDeployment({}, { url: servers.url });
    await deployment.register('acme');
    const settings = ['DB_DATABASE_URL', 'DB_RESULTS_DB_TEMPLATE'].map((name) => [
      name,
      addressOf(deployment.environment[name] ?? ''),
    ]);
    service = await HttpService.start(deployment, ['acme'], Object.fromEntries(settings));
  };
  const submit = (): Promise<Reply<Job & Problem>> =>
    service.as(deployment.token('acme', ['member'])).post<Job & Problem>('/jobs', JOB);
  const submitted = async (): Promise<string> => {
    let reply = await submit();
    await until('writes are taken', async () => {
      if (reply.status === 503) reply = await submit();
      return reply.status !== 503;
    });
    expect(reply.status, reply.text).to.equal(201);
    return reply.body.job_id;
  };
  const jobsOn = async (server: ReplicatedServer): Promise<readonly string[]> => {
    const rows = await server.query(
      'select job_id::text as id from docking_jobs',
      deployment.databaseName('acme'),
    );
    return (rows as readonly { id: string }[]).map(({ id }) => id);
  };

  it('with a synchronous standby no job is lost that was acknowledged, and none is that the standby does not have', async () => {
    const { primary, standby } = servers;
    await primary.query(`alter system set synchronous_standby_names = '*'`);
    await primary.query('select pg_reload_conf()');
    await start();
    const acknowledged = [await submitted(), await submitted()];

    const goOn = await standby.hang();
    const caught = submit();
    await until('the job’s commit waits for the standby', async () => {
      const waiting = await primary.query(
        `select from pg_stat_activity where wait_event = 'SyncRep' and datname = '${deployment.databaseName('acme')}'`,
      );
      return waiting.length === 1;
    });
    await primary.kill();
    goOn();
    const refused = await caught;
    expect([refused.status, refused.body.code]).to.deep.equal([503, 'database_unavailable']);
    await standby.query('select pg_promote()');

    acknowledged.push(await submitted());
    expect(await jobsOn(standby)).to.include.members(acknowledged);
  });

  describe('behind HAProxy, which leads to the one that says it is the primary', () => {
    let proxy: MiddleProgram;
    const checks: Server[] = [];
    let primaryIs: ReplicatedServer;

    before(function () {
      needsProgram(this, 'haproxy');
    });
    beforeEach(async () => {
      const both = [servers.primary, servers.standby];
      primaryIs = servers.primary;
      const ports: { readonly port: number; readonly checkPort: number }[] = [];
      for (const server of both) {
        const check = createServer((_, answer) => {
          answer.statusCode = server === primaryIs ? 200 : 503;
          answer.end();
        });
        checks.push(check);
        await once(check.listen(0, '127.0.0.1'), 'listening');
        // The address of a TCP server that listens is an object.
        ports.push({ port: server.port, checkPort: (check.address() as AddressInfo).port });
      }
      proxy = await startHaProxyToPrimary(ports);
      const through = (url: string): string =>
        proxy.urlOf(url.replace(/,[^/]+/, '')).replace('?target_session_attrs=read-write', '');
      await start(through);
    });
    afterEach(async () => {
      await proxy.stop();
      for (const check of checks.splice(0)) check.close().closeAllConnections();
    });

    it('the service finds the promoted one by the same address, and refuses the former one there', async () => {
      const { primary, standby } = servers;
      await submitted();
      await primary.stop();
      await standby.query('select pg_promote()');
      primaryIs = standby;
      const second = await submitted();
      expect(await jobsOn(standby)).to.include(second);

      // Nobody has told the former primary, and its check says that it is one.
      await primary.start();
      const before = await jobsOn(primary);
      primaryIs = primary;
      let refused = await submit();
      await until('the proxy leads to the former primary', async () => {
        if (refused.status === 201) refused = await submit();
        return refused.status !== 201;
      });
      expect([refused.status, refused.body.code]).to.deep.equal([503, 'database_unavailable']);
      expect((await submit()).status).to.equal(503);
      expect(await jobsOn(primary)).to.deep.equal(before);

      primaryIs = standby;
      const third = await submitted();
      expect(await jobsOn(standby)).to.include.members([second, third]);
    });
  });
});
