import { execFile } from 'node:child_process';
import { dirname } from 'node:path';
import { expect } from 'chai';
import type { Container } from 'inversify';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { compiledModule } from '../support/compiled-project.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { rejectionOf, until } from '../support/gate.ts';
import { HttpService } from '../support/http-service.ts';
import { hookProvisioning, watchAdminStatements } from '../support/provisioning-steps.ts';
import { ALL_JOBS } from '../support/sample-job.ts';
import { defaultServer } from '../support/servers.ts';
import { startTcpProxy, throughProxies, type TcpProxy } from '../support/tcp-proxy.ts';

const CLI = new URL('../../infrastructure/bin/cli.ts', import.meta.url);
const OLD = 'the secret that roles had so far, long enough';
const NEW = 'the secret that roles are to have from now on';
const ORGANIZATIONS = ['acme', 'beta', 'gamma', 'delta', 'epsilon', 'zeta'];
const SUBMISSION = { engine: 'vina', inputs: { ligand: 'CCO' } };

const secrets = (secret: string, other?: string): Record<string, string> => ({
  DB_ORG_ROLES: 'true',
  DB_ROLE_SECRET: secret,
  ...(other !== undefined && { DB_ROLE_SECRET_OTHER: other }),
});

describe("the rotation of the organizations' credentials", function () {
  this.timeout(60_000);
  let deployment: Deployment;
  const services: HttpService[] = [];
  const proxies: TcpProxy[] = [];

  beforeEach(async () => {
    // With two connections for six organizations, nearly every request opens a new one.
    deployment = await createDeployment({ DB_CONNECTION_BUDGET: '2' });
    await deployment.register(...ORGANIZATIONS);
  });
  afterEach(async () => {
    await Promise.all(services.splice(0).map((service) => service.close()));
    await deployment.dispose();
    for (const proxy of proxies.splice(0)) proxy.close();
  });

  const start = async (settings: Record<string, string>): Promise<HttpService> => {
    const service = await HttpService.start(deployment, ORGANIZATIONS, settings);
    services.push(service);
    return service;
  };
  const rotate = (container: Container) => container.get(TOKENS.rotateCredentials)();
  const read = async (container: Container, id: string): Promise<number> => {
    const lease = await container.get(TOKENS.connectionManager).acquire(organizationId(id));
    return lease.database.jobs
      .list(...ALL_JOBS)
      .then(({ items }) => items.length)
      .finally(() => lease.release());
  };
  const provision = async (...ids: readonly string[]): Promise<void> => {
    const manager = deployment.start(secrets(OLD)).get(TOKENS.connectionManager);
    for (const id of ids) await manager.provision(organizationId(id));
  };
  const startProxy = async (): Promise<TcpProxy> => {
    const proxy = await startTcpProxy(deployment.environment['DB_DATABASE_URL'] ?? '');
    proxies.push(proxy);
    return proxy;
  };

  /** Members who read and write jobs, each of one organization after another, until they are told to stop. */
  const startTraffic = (targets: readonly HttpService[]) => {
    let stopped = false;
    let requests = 0;
    const refusals: string[] = [];
    const member = async (service: HttpService, first: number): Promise<void> => {
      for (let turn = first; !stopped; turn += 1) {
        const organization = ORGANIZATIONS[turn % ORGANIZATIONS.length] ?? '';
        const caller = service.as(deployment.token(organization, ['member']));
        for (const reply of [await caller.post('/jobs', SUBMISSION), await caller.get('/jobs')]) {
          requests += 1;
          if (reply.status >= 400) refusals.push(`${organization}: ${reply.status} ${reply.text}`);
        }
      }
    };
    const running = Promise.all(
      targets.flatMap((service) => [0, 2, 4].map((first) => member(service, first))),
    );
    return {
      refusals,
      /** Waits until that many more requests were answered. */
      flow: async (more: number): Promise<void> => {
        const goal = requests + more;
        await until(`${more} more requests are answered`, () => requests >= goal, 30_000);
      },
      stop: async (): Promise<void> => {
        stopped = true;
        await running;
      },
    };
  };

  it('credential-rotation-without-dropped-requests', async () => {
    await provision(...ORGANIZATIONS);
    const proxy = await startProxy();
    const through = throughProxies(deployment, { results: proxy });
    const before = await start({ ...secrets(OLD, NEW), ...through });
    const after = await start({ ...secrets(NEW, OLD), ...through });
    const traffic = startTraffic([before, after]);
    await traffic.flow(60);
    const connects = proxy.connects;

    const report = await rotate(after.container);
    await traffic.flow(60);
    await traffic.stop();

    expect(report).to.deep.equal({ rotated: ORGANIZATIONS.length, failures: [] });
    expect(traffic.refusals).to.be.empty;
    expect(proxy.connects - connects, 'new connections').to.be.above(ORGANIZATIONS.length);

    const last = deployment.start(secrets(NEW));
    const outdated = deployment.start(secrets(OLD));
    for (const id of ORGANIZATIONS) {
      expect(await read(last, id)).to.be.above(0);
      expect(await rejectionOf(read(outdated, id))).to.have.property('code', 'database_unavailable');
    }
  });

  it('is seen to drop requests of a process that does not know the other secret', async () => {
    await provision(...ORGANIZATIONS);
    const service = await start(secrets(OLD));
    const traffic = startTraffic([service]);
    await traffic.flow(20);
    expect(traffic.refusals).to.be.empty;
    await rotate(deployment.start(secrets(NEW, OLD)));
    await traffic.flow(20);
    await traffic.stop();
    expect(traffic.refusals).to.not.be.empty;
  });

  it('may change a password between the two attempts of one login', async () => {
    await provision('acme');
    const proxy = await startProxy();
    const container = deployment.start({
      ...secrets(NEW, OLD),
      ...throughProxies(deployment, { results: proxy }),
    });
    const placement = await container.get(TOKENS.provisioning).provision(organizationId('acme'));
    proxy.delay(100);
    const login = defaultServer(container).connect(placement, {});
    await until('the second attempt is under way', () => proxy.connects === 2);
    proxy.stall();
    await rotate(deployment.start(secrets(NEW, OLD)));
    await proxy.resume();
    const connection = await login;
    expect(proxy.connects).to.equal(3);
    await connection.close();
  });

  it('takes spares and half-made databases along', async () => {
    const old = deployment.start({ ...secrets(OLD), DB_SPARES_MIN: '1', DB_SPARES_MAX: '1' });
    hookProvisioning(old, async (step, proceed) => {
      if (step === 'complete') throw new Error('out of luck');
      return proceed();
    });
    await rejectionOf(old.get(TOKENS.connectionManager).provision(organizationId('acme')));
    await old.get(TOKENS.spareKeeper).refill();

    await rotate(deployment.start(secrets(NEW, OLD)));
    const last = deployment.start(secrets(NEW));
    expect(await read(last, 'acme')).to.equal(0);
    expect(await read(last, 'beta')).to.equal(0);
    const paths = await deployment.administer(
      `select org_id, details->>'path' as path from audit_logs where action = 'database.provisioned' order by org_id`,
      [],
      deployment.metadataDatabase,
    );
    expect(paths).to.deep.equal([
      { org_id: 'acme', path: 'resume' },
      { org_id: 'beta', path: 'spare' },
    ]);
  });

  it('is not needed for a role that was made with the old secret and whose database is made with the new one', async () => {
    const old = deployment.start(secrets(OLD));
    hookProvisioning(old, async (step, proceed) => {
      if (step === 'adopt') throw new Error('out of luck');
      return proceed();
    });
    await rejectionOf(old.get(TOKENS.connectionManager).provision(organizationId('acme')));
    expect(await read(deployment.start(secrets(NEW)), 'acme')).to.equal(0);
  });

  it('sends no password in a statement, which the server might write to its log', async () => {
    const container = deployment.start(secrets(NEW));
    const statements = watchAdminStatements(container);
    await container.get(TOKENS.connectionManager).provision(organizationId('acme'));
    await rotate(container);
    const record = await container.get(TOKENS.databaseLedger).find(organizationId('acme'));
    const login = defaultServer(container).logins?.loginFor(record?.stamp ?? '');
    const texts = statements.map(({ text }) => text).filter((text) => text.includes(' password '));
    expect(texts).to.have.length(2);
    for (const text of texts) {
      expect(text).to.contain(login?.user).and.not.contain(login?.password);
    }
  });

  describe('npx mad databases rotate-credentials', () => {
    const run = async (settings: Record<string, string>): Promise<{ code: number; output: string }> => {
      const cli = await compiledModule(CLI);
      return new Promise((resolve) => {
        const child = execFile(
          process.execPath,
          [cli, 'databases', 'rotate-credentials'],
          {
            cwd: dirname(cli), // where no .env lies
            env: { PATH: process.env['PATH'], ...deployment.environment, ...settings },
          },
          (_, stdout, stderr) => resolve({ code: child.exitCode ?? -1, output: stdout + stderr }),
        );
      });
    };
    const roleOf = async (id: string): Promise<string> => {
      const container = deployment.start(secrets(OLD));
      const record = await container.get(TOKENS.databaseLedger).find(organizationId(id));
      return defaultServer(container).logins?.loginFor(record?.stamp ?? '').user ?? '';
    };
    const audited = (): Promise<readonly object[]> =>
      deployment.administer(
        `select org_id, entity_id from audit_logs where action = 'database.credentials_rotated' order by position`,
        [],
        deployment.metadataDatabase,
      );

    it('goes on after one that fails, says so, and finishes when it is repeated', async () => {
      await provision('acme', 'beta', 'gamma');
      const role = await roleOf('beta');
      await deployment.administer(`alter role "${role}" rename to "${role}.away"`);

      expect(await run(secrets(NEW, OLD))).to.deep.equal({
        code: 3,
        output:
          `failed  ${deployment.databaseName('beta')}: its role does not exist\n` +
          `2 roles have the password of today's secret, 1 failed.\n`,
      });
      const last = deployment.start(secrets(NEW));
      expect([await read(last, 'acme'), await read(last, 'gamma')]).to.deep.equal([0, 0]);
      expect(await audited()).to.deep.equal(
        ['acme', 'gamma'].map((id) => ({ org_id: id, entity_id: deployment.databaseName(id) })),
      );

      await deployment.administer(`alter role "${role}.away" rename to "${role}"`);
      expect(await rejectionOf(read(last, 'beta'))).to.have.property('code', 'database_unavailable');
      expect(await run(secrets(NEW, OLD))).to.deep.equal({
        code: 0,
        output: `3 roles have the password of today's secret, 0 failed.\n`,
      });
      expect(await read(last, 'beta')).to.equal(0);
    });

    it('refuses where organizations have no roles', async () => {
      const { code, output } = await run({});
      expect([code, output]).to.deep.equal([
        1,
        'Organizations have no roles of their own (DB_ORG_ROLES is off): nothing to rotate.\n',
      ]);
    });
  });
});
