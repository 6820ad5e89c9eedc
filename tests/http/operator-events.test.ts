import { expect } from 'chai';
import jwt from 'jsonwebtoken';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { overviewReply } from '../../presentation/http/overview/overview-schema.ts';
import { decorate } from '../support/decorate.ts';
import { createDeployment, TEST_JWT_SECRET, type Deployment } from '../support/deployment.ts';
import { EventClient } from '../support/event-client.ts';
import { until } from '../support/gate.ts';
import type { Problem } from '../support/http-contract.ts';
import { HttpService } from '../support/http-service.ts';

const TYPES = ['overview', 'run', 'finding'];

describe('What operators follow', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let service: HttpService;
  let statements = 0;
  const clients: EventClient[] = [];

  before(async () => {
    deployment = await createDeployment();
    const container = deployment.start();
    decorate(container, TOKENS.metadataSql, (database) => ({
      query: (query) => {
        statements += 1;
        return database.query(query);
      },
    }));
    service = await HttpService.over(deployment, container);
    await deployment.register('alpha');
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await until('no stream is open', () => streams().count === 0);
  });
  after(async () => {
    await service.close();
    await deployment.dispose();
  });

  const streams = () => service.container.get(TOKENS.operatorStreams);
  const platform = (): string => deployment.token(null, ['platform_admin']);
  const follow = async (token = platform(), url = service.url): Promise<EventClient> => {
    const client = new EventClient(`${url}/admin/events`, token, TYPES);
    clients.push(client);
    await until('how it is has been told', () => client.events.length >= TYPES.length);
    return client;
  };
  /** A look whose overview is not one that was kept. */
  const look = async (): Promise<void> => {
    await until('the overview is read anew', async () => {
      const before = statements;
      await streams().look();
      return statements > before;
    });
  };

  it('is the same overview that is asked for, and comes by itself when something has changed', async () => {
    const client = await follow();
    const [first] = client.events;
    expect(overviewReply.safeParse(first).error?.message).to.equal(undefined);
    expect(client.events.slice(1)).to.deep.equal([{ run: null }, { pass: null }]);
    await service.as(platform()).post('/organizations/alpha/suspend');
    await look();
    await until('it is told', () => client.events.length > 3);
    expect(client.events.at(-1)).to.have.nested.property('organizations.by_status.suspended', 1);
    await service.as(platform()).post('/organizations/alpha/resume');
  });

  it('costs no statement more for a client more', async () => {
    await Promise.all(Array.from({ length: 10 }, () => follow()));
    await look();
    statements = 0;
    await look();
    expect(statements).to.be.within(1, 3);
  });

  it('ends with the token, and with the right to see it', async () => {
    const { users } = service.container.get(TOKENS.metadataDatabase);
    const email = 'ada@example.org';
    const { userId } = await users.ensureUser({ email, passwordHash: 'none', platformAdmin: true });
    const sign = (expiresIn: number) =>
      jwt.sign({ sub: userId, roles: ['platform_admin'] }, TEST_JWT_SECRET, {
        issuer: 'mad.local',
        audience: 'mad',
        expiresIn,
      });
    const [short, demoted] = [await follow(sign(2)), await follow(sign(600))];
    await until('the token has ended', async () => {
      await streams().look();
      return short.statuses.at(-1) === 401;
    });
    expect(demoted.statuses).to.deep.equal([200]);
    await users.change(userId, { platformAdmin: false });
    await until('who is no operator any more is told nothing', async () => {
      await streams().look();
      return demoted.statuses.at(-1) === 401;
    });
  });

  it('is a stream alone', async () => {
    const { status, body } = await service.as(platform()).get<Problem>('/admin/events');
    expect([status, body.code]).to.deep.equal([406, 'not_acceptable']);
  });

  it('does not keep a process that stops', async () => {
    const other = await HttpService.running(deployment.start());
    const client = await follow(platform(), other.url);
    const since = performance.now();
    await other.close();
    expect(performance.now() - since).to.be.below(5000);
    expect(client.isOpen).to.equal(false);
  });
});
