import { request, type Server } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect } from 'chai';
import { Gate, until } from '../../support/gate.ts';
import { FakeService } from '../../support/fakes/fake-service.ts';
import { portOf } from '../../support/fakes/port-of.ts';
import { JOB_ID, seedSamples } from '../../support/fakes/samples.ts';

describe('The lease of a results database', () => {
  it('is taken once and given back once when the response is out', async () => {
    const service = new FakeService();
    const response = await service.acme('member').get('/jobs');
    expect(response.status).to.equal(200);
    expect(service.databases.acquired).to.deep.equal(['acme']);
    expect(service.databases.releases).to.equal(1);
  });

  it('is given back once when the handler throws', async () => {
    const service = new FakeService();
    service.databases.of('acme').jobs.list = async () => {
      throw new Error('broken');
    };
    const response = await service.acme('member').get('/jobs');
    expect(response.status).to.equal(500);
    expect(service.databases.releases).to.equal(1);
  });

  it('is given back once when the handler rejects with nothing', async () => {
    const service = new FakeService();
    service.databases.of('acme').jobs.list = () => Promise.reject();
    const response = await service.acme('member').get('/jobs');
    expect(response.status).to.equal(500);
    expect(service.databases.releases).to.equal(1);
  });

  it('is not taken for input that does not pass', async () => {
    const service = new FakeService();
    const client = service.acme('member', 'worker');
    for (const refused of [
      client.get('/jobs?limit=0'),
      client.get('/jobs/no-uuid'),
      client.post('/jobs').send({ engine: 'vina' }),
      client.post('/jobs').send('{').type('json'),
      client.put(`/jobs/${JOB_ID}/task-results/docking`).send({}),
    ]) {
      expect((await refused).status).to.be.oneOf([400, 422]);
    }
    expect(service.databases.acquired).to.be.empty;
  });

  it('is not taken by routes that read no results', async () => {
    const service = new FakeService();
    await service.acme('org_admin').get('/organizations/acme');
    await service.acme('org_admin').get('/organizations/acme/settings');
    await service.admin().get('/admin/databases');
    await service.anonymous().get('/ready');
    expect(service.databases.acquired).to.be.empty;
  });

  it("opens the claim's organization, whatever the request", async () => {
    const service = new FakeService();
    await seedSamples(service, 'somebody');
    const beta = service.as(service.tokens.of('beta', 'member'));
    const response = await beta.get(`/jobs/${JOB_ID}`);
    expect(response.body.code).to.equal('job_not_found');
    expect(service.databases.acquired).to.deep.equal(['beta']);
  });

  describe('when the client goes away', () => {
    let server: Server;
    let service: FakeService;

    beforeEach((done) => {
      service = new FakeService();
      server = service.app.listen(0, '127.0.0.1', done);
    });

    afterEach((done) => {
      server.close(done);
    });

    const send = () => {
      const port = portOf(server);
      const authorization = `Bearer ${service.tokens.of('acme', 'member')}`;
      const sent = request({ port, path: '/jobs', headers: { authorization } });
      sent.on('error', () => {});
      sent.end();
      return sent;
    };

    it('is given back at once, while the handler still works', async () => {
      const working = new Gate();
      service.databases.of('acme').onListing = () => working.pass();
      const sent = send();
      await working.reached;
      expect(service.databases.releases).to.equal(0);
      sent.destroy();
      await until('the lease is given back', () => service.databases.releases > 0);
      working.open();
      await nextTurn();
      await nextTurn();
      expect(service.databases.releases).to.equal(1);
      expect(service.observed.map(({ status }) => status)).to.deep.equal([499]);
      expect(service.logger.lines.map(({ level }) => level)).to.deep.equal(['info']);
    });

    it('is given back as soon as it arrives, and the handler does not run', async () => {
      const opening = new Gate();
      service.databases.gate = opening.opened;
      let ran = false;
      service.databases.of('acme').onListing = () => {
        ran = true;
      };
      const sent = send();
      await until('a lease is asked for', () => service.databases.acquired.length > 0);
      sent.destroy();
      await until('the request is over', () => service.requestLines.length > 0);
      expect(service.databases.releases).to.equal(0);
      opening.open();
      await until('the lease is given back', () => service.databases.releases > 0);
      await nextTurn();
      expect(service.databases.releases).to.equal(1);
      expect(ran).to.be.false;
      await nextTurn();
      expect(service.logger.lines.map(({ level }) => level)).to.deep.equal(['info']);
    });

    it('logs a fault of the service that comes to light afterwards, and no other failure', async () => {
      const working = new Gate();
      const fault = new Error('a real fault');
      service.databases.of('acme').onListing = async () => {
        await working.pass();
        throw fault;
      };
      const sent = send();
      await working.reached;
      sent.destroy();
      await until('the request is over', () => service.requestLines.length > 0);
      working.open();
      await until('the fault is logged', () => service.logger.lines.length > 1);
      expect(service.logger.lines.map(({ level }) => level)).to.deep.equal(['info', 'error']);
      expect(service.logger.lines[1]?.fields).to.include({ err: fault });
    });
  });
});
