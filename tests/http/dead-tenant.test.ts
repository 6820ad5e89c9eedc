import { expect } from 'chai';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import type { Job, Problem, Readiness } from '../support/http-contract.ts';
import { HttpService, type Caller } from '../support/http-service.ts';

const SUBMISSION = { engine: 'vina', inputs: { ligand: 'CCO' } };

describe('A database that is gone', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  const services: HttpService[] = [];

  beforeEach(async () => {
    deployment = await createDeployment();
    await deployment.register('alive', 'dead');
  });
  afterEach(async () => {
    await Promise.all(services.splice(0).map((service) => service.close()));
    await deployment.dispose();
  });

  const start = async (settings: Record<string, string> = {}): Promise<HttpService> => {
    const service = await HttpService.start(deployment, ['alive', 'dead'], settings);
    services.push(service);
    return service;
  };
  const member = (service: HttpService, organization: string): Caller =>
    service.as(deployment.token(organization, ['member', 'worker']));
  const ready = (service: HttpService, token?: string) =>
    service.call<Readiness>('GET', '/ready', token === undefined ? {} : { token });
  const drop = (organization: string) =>
    deployment.administer(`drop database "${deployment.databaseName(organization)}" with (force)`);

  it('one-dead-tenant-keeps-ready-200', async () => {
    const usual = await start();
    const strict = await start({ READY_STRICT: 'true' });
    const production = await start({ NODE_ENV: 'production' });
    const job = (await member(usual, 'dead').post<Job>('/jobs', SUBMISSION)).body;
    for (const service of services) {
      for (const organization of ['alive', 'dead']) {
        expect((await member(service, organization).get('/jobs')).status).to.equal(200);
      }
      expect((await ready(service)).status).to.equal(200);
    }
    const whole = await ready(usual);
    const wellServers = { servers: { default: true }, server_problems: {} };
    const both = { results_alive: true, results_dead: true };
    expect(whole.body).to.deep.equal({
      status: 'ready',
      checks: {
        databases: { metadata: true, ...both },
        metadata_db: true,
        org_databases: both,
        ...wellServers,
      },
    });

    await drop('dead');

    // Asked before any request has noticed, and again after.
    const sick = { results_alive: true, results_dead: false };
    const report = {
      status: 'not_ready',
      checks: {
        databases: { metadata: true, ...sick },
        metadata_db: true,
        org_databases: sick,
        ...wellServers,
      },
    };
    for (const _ of [1, 2]) {
      const answer = await ready(usual);
      expect([answer.status, answer.body]).to.deep.equal([200, report]);
      const strictAnswer = await ready(strict);
      expect([strictAnswer.status, strictAnswer.body]).to.deep.equal([503, report]);
      const hidden = await ready(production);
      expect([hidden.status, hidden.body]).to.deep.equal([
        200,
        {
          status: 'not_ready',
          checks: { databases: { metadata: true }, metadata_db: true, org_databases: {}, ...wellServers },
        },
      ]);
      const shown = await ready(production, deployment.token(null, ['platform_admin']));
      expect([shown.status, shown.body]).to.deep.equal([200, report]);

      for (const service of services) {
        const caller = member(service, 'dead');
        for (const reply of [
          await caller.get<Problem>('/jobs'),
          await caller.post<Problem>('/jobs', SUBMISSION),
          await caller.post<Problem>('/jobs?use_cache=true', SUBMISSION),
          await caller.patch<Problem>(`/jobs/${job.job_id}`, { status: 'CANCELED' }),
          await caller.get<Problem>(`/organizations/dead/input-signatures/${job.input_signature}`),
        ]) {
          expect([reply.status, reply.body.code]).to.deep.equal([503, 'database_unavailable']);
          expect(reply.headers['retry-after']).to.match(/^[1-9]\d*$/);
        }
        expect((await member(service, 'alive').post('/jobs', SUBMISSION)).status).to.equal(201);
        expect((await member(service, 'alive').get('/jobs')).status).to.equal(200);
      }
    }
    expect(await deployment.databases()).not.to.include(deployment.databaseName('dead'));
  });

  it('is not made again, empty, by a process that starts afterwards', async () => {
    await member(await start(), 'dead').post('/jobs', SUBMISSION);
    await drop('dead');

    const later = await start();
    for (const _ of [1, 2]) {
      const reply = await member(later, 'dead').get<Problem>('/jobs');
      expect([reply.status, reply.body.code]).to.deep.equal([503, 'database_unavailable']);
    }
    expect(await deployment.databases()).not.to.include(deployment.databaseName('dead'));
  });

  it('of the metadata turns /ready 503, while organizations in use are served', async () => {
    const service = await start();
    await member(service, 'alive').get('/jobs');
    await deployment.administer(`drop database "${deployment.metadataDatabase}" with (force)`);

    const { status, body } = await ready(service);
    expect([status, body.status, body.checks.metadata_db]).to.deep.equal([503, 'not_ready', false]);
    expect(body.checks.databases).to.deep.equal({ metadata: false, results_alive: true });
    expect((await member(service, 'alive').get('/jobs')).status).to.equal(200);
    expect((await service.call('GET', '/health')).body).to.deep.equal({ status: 'ok' });
    const platform = service.as(deployment.token(null, ['platform_admin']));
    for (const reply of [
      await platform.get<Problem>('/organizations'),
      await platform.post<Problem>('/organizations', { org_id: 'new', name: 'New' }),
      await member(service, 'dead').get<Problem>('/jobs'),
      await service.call<Problem>('POST', '/auth/token', { body: { email: 'a@b', password: 'c' } }),
    ]) {
      expect([reply.status, reply.body.code]).to.deep.equal([503, 'database_unavailable']);
    }
    // The refusal stands although it cannot be written down.
    const denied = await member(service, 'alive').get<Problem>('/organizations/dead/jobs');
    expect([denied.status, denied.body.code]).to.deep.equal([403, 'organization_access_denied']);
  });
});
