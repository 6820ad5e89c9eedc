import { expect } from 'chai';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { until } from '../support/gate.ts';
import { HttpService } from '../support/http-service.ts';
import type { Reply } from '../support/send.ts';
import { lockTable } from '../support/server-faults.ts';

const CONNECTIONS = 3;
const WAITING = 20;
const FLOOD = 200;

describe('An organization that asks for too much', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let service: HttpService;

  before(async () => {
    deployment = await createDeployment({
      DB_CONNECTION_BUDGET: '6',
      DB_ORG_POOL_SIZE: '2',
      DB_ORG_MAX_OVERFLOW: String(CONNECTIONS - 2),
      DB_ORG_MAX_WAITING: String(WAITING),
      DB_ACQUIRE_TIMEOUT_MS: '20000',
      DB_LOCK_TIMEOUT_MS: '60000',
      DB_STATEMENT_TIMEOUT_MS: '60000',
    });
    service = await HttpService.start(deployment, ['noisy', 'light', 'quiet']);
    await deployment.register('noisy', 'light', 'quiet');
    for (const id of ['noisy', 'light', 'quiet'])
      await service.as(deployment.token(id, ['member'])).get('/jobs');
  });
  after(async () => {
    await service.close();
    await deployment.dispose();
  });

  it('noisy-tenant-gets-429-others-keep-p99', async () => {
    const noisy = service.as(deployment.token('noisy', ['member']));
    // Its statements do not end: whatever it may take, it keeps.
    const lock = await lockTable(deployment, deployment.databaseName('noisy'), 'docking_jobs');
    const replies: Reply<{ code?: string }>[] = [];
    const ask = async (): Promise<void> => {
      replies.push(await noisy.post('/jobs', { engine: 'vina', inputs: { a: 1 } }));
    };
    const poolOf = () => service.container.get(TOKENS.connectionManager).peek(organizationId('noisy'));
    const flood = Array.from({ length: CONNECTIONS }, ask);
    await until('it has all connections that it may have', () => poolOf()?.inUse === CONNECTIONS);
    flood.push(...Array.from({ length: FLOOD - CONNECTIONS }, ask));
    await until('all but its share are refused', () => replies.length === FLOOD - CONNECTIONS - WAITING);
    for (const { status, headers, body } of replies) {
      expect([status, body.code]).to.deep.equal([429, 'organization_busy']);
      expect(Number(headers['retry-after'])).to.be.at.least(1);
    }
    expect(poolOf()).to.include({ inUse: CONNECTIONS, waiting: WAITING });

    for (let i = 0; i < 50; i += 1) {
      for (const id of ['light', 'quiet']) {
        const caller = service.as(deployment.token(id, ['member']));
        expect((await caller.post('/jobs', { engine: 'vina', inputs: { i } })).status).to.equal(201);
        expect((await caller.get('/jobs?limit=1')).status).to.equal(200);
      }
    }
    expect(replies, 'it still stands where it stood').to.have.length(FLOOD - CONNECTIONS - WAITING);
    await lock.release();
    await Promise.all(flood);
    expect(replies.filter(({ status }) => status === 201)).to.have.length(CONNECTIONS + WAITING);
  });
});
