import { expect } from 'chai';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { captureLog } from '../support/captured-log.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';

/** Longer than the monitors wait for an answer. */
const STANDSTILL_MS = 1300;

describe('an event loop that stood still', function () {
  this.timeout(60_000);
  let deployment: Deployment;

  before(async () => {
    deployment = await createDeployment({ LOG_LEVEL: 'debug' });
    await deployment.register('acme');
  });
  after(() => deployment.dispose());

  it('is not taken for databases and servers that are away', async () => {
    const container = deployment.start();
    const log = captureLog(container);
    const [feed, manager, servers, health] = [
      container.get(TOKENS.changeFeed),
      container.get(TOKENS.connectionManager),
      container.get(TOKENS.servers),
      container.get(TOKENS.databaseHealth),
    ];
    await feed.start();
    const lease = await manager.acquire(organizationId('acme'));
    try {
      // All control connections are open, and the questions are on their way when the loop stops.
      await health.check();
      const sessions = servers.list().map(({ control }) => control.sessions);
      // Asks at once.
      const poll = feed.start();
      const answer = health.check();
      await Promise.resolve();
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, STANDSTILL_MS);
      expect(await answer).to.deep.equal({
        metadata: true,
        servers: { default: true },
        serverProblems: {},
        organizations: { acme: true },
      });
      await poll;
      await feed.start();
      expect(feed.isCurrent).to.equal(true);
      expect(servers.list().map(({ control }) => control.sessions)).to.deep.equal(sessions);
      expect(log.filter(({ level }) => level === 'warn' || level === 'error')).to.deep.equal([]);
    } finally {
      lease.release();
      await feed.close();
    }
  });
});
