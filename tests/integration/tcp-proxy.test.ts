import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { Client } from 'pg';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { rejectionOf, until } from '../support/gate.ts';
import { testServer } from '../support/postgres-server.ts';
import { startTcpProxy, throughProxies, type TcpProxy } from '../support/tcp-proxy.ts';

describe('the TCP proxy of the tests', function () {
  this.timeout(60_000);

  let proxy: TcpProxy;
  let url: string;

  before(async () => {
    ({ url } = await testServer());
  });
  beforeEach(async () => {
    proxy = await startTcpProxy(url);
  });
  afterEach(() => proxy.close());

  const connect = async (connectionTimeoutMillis = 5000): Promise<Client> => {
    const client = new Client({ connectionString: proxy.urlOf(url), connectionTimeoutMillis });
    client.on('error', () => undefined); // what a test does to it
    await client.connect();
    return client;
  };
  const one = async (client: Client): Promise<unknown> => (await client.query('select 1 as one')).rows[0];

  it('passes everything through, goodbyes as well, and counts', async () => {
    const [client, another] = await Promise.all([connect(), connect()]);
    const long = 'x'.repeat(3_000_000);
    const { rows } = await client.query<{ text: string }>('select $1::text as text', [long]);
    expect(rows[0]?.text).to.equal(long);
    expect([proxy.connects, proxy.open]).to.deep.equal([2, 2]);
    await client.end();
    await until('the proxy has seen the end of one', () => proxy.open === 1);
    expect(proxy.connects).to.equal(2);
    await another.end();
  });

  it('holds statements and answers while it stalls, and lets them go afterwards', async () => {
    const client = await connect();
    proxy.stall();
    let answered = false;
    const answer = one(client).then((row) => {
      answered = true;
      return row;
    });
    const refused = await rejectionOf(connect(200));
    expect(refused).to.have.property('message', 'timeout expired');
    expect([proxy.connects, answered]).to.deep.equal([2, false]);
    await proxy.resume();
    expect(await answer).to.deep.equal({ one: 1 });
    await client.end();
  });

  it('ends what it holds when it is closed', async () => {
    const client = await connect();
    proxy.stall();
    const held = rejectionOf(one(client));
    const hanging = rejectionOf(connect());
    await until('both are open', () => proxy.open === 2);
    proxy.close();
    await Promise.all([held, hanging]);
    expect(proxy.open).to.equal(0);
  });

  it('resets what is open and takes what comes next', async () => {
    const client = await connect();
    const running = rejectionOf(client.query('select pg_sleep(60)'));
    await until('the proxy has the connection', () => proxy.open === 1);
    expect(proxy.reset()).to.equal(1);
    expect(await running).to.have.property('code', 'ECONNRESET');
    expect(proxy.open).to.equal(0);
    const next = await connect();
    expect(await one(next)).to.deep.equal({ one: 1 });
    await next.end();
  });

  it('refuses newcomers, keeps what is open, and takes newcomers again on the same port', async () => {
    const client = await connect();
    proxy.refuse();
    expect(await rejectionOf(connect())).to.have.property('code', 'ECONNREFUSED');
    expect(await one(client)).to.deep.equal({ one: 1 });
    await proxy.resume();
    const next = await connect();
    expect(await one(next)).to.deep.equal({ one: 1 });
    await Promise.all([client.end(), next.end()]);
  });

  it('delays each connect and each chunk', async () => {
    const client = await connect();
    proxy.delay(30);
    const startedAt = performance.now();
    await one(client);
    expect(performance.now() - startedAt).to.be.at.least(58); // there and back; timers may fire a little early
    await client.end();
  });

  it('stands before the metadata database, the results databases, or both', async () => {
    const deployment: Deployment = await createDeployment();
    const results = await startTcpProxy(url);
    try {
      await deployment.register('acme');
      const use = async (settings: Record<string, string>): Promise<void> => {
        const manager = deployment.start(settings).get(TOKENS.connectionManager);
        const lease = await manager.acquire(organizationId('acme'));
        await lease.database.jobs.find(randomUUID()).finally(() => lease.release());
      };
      await use(throughProxies(deployment, { metadata: proxy }));
      expect([proxy.connects > 0, results.connects]).to.deep.equal([true, 0]);
      const before = proxy.connects;
      await use(throughProxies(deployment, { results }));
      expect([proxy.connects, results.connects > 0]).to.deep.equal([before, true]);
      await use(throughProxies(deployment, { metadata: proxy, results }));
      expect(proxy.connects).to.be.above(before);
      results.refuse();
      const refused = await rejectionOf(use(throughProxies(deployment, { results })));
      expect(refused).to.have.property('code', 'database_unavailable');
    } finally {
      await deployment.dispose();
      results.close();
    }
  });
});
