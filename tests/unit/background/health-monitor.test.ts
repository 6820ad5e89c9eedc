import { expect } from 'chai';
import { HealthMonitor } from '../../../infrastructure/background/health-monitor.ts';
import { FakeLogger } from '../../support/fakes/fake-logger.ts';

describe('the health monitor', () => {
  let said: string[];
  const logger = new FakeLogger(({ level, fields, message }) => {
    said.push(`${level} ${JSON.stringify(fields)} ${message}`);
  });
  beforeEach(() => {
    said = [];
  });

  it('needs one line for a server that takes thousands of organizations with it', async () => {
    const ids = Array.from({ length: 2000 }, (_, n) => `org-${n}`);
    const looks = [true, false];
    const check = async () => {
      const isHealthy = looks.shift() ?? true;
      const organizations = Object.fromEntries(ids.map((id) => [id, isHealthy]));
      return { metadata: true, servers: { eu: isHealthy }, serverProblems: {}, organizations };
    };
    const monitor = new HealthMonitor({ health: { check }, intervalMs: 1000, logger });
    for (let look = 0; look < 3; look += 1) await monitor.look();
    expect(said).to.have.length(2);
    expect(said[0]).to.match(/^error \{"databases":\["server eu","results_org-0",.*"count":2001\}/);
    expect(said[0]?.length).to.be.below(300);
    expect(said[1]).to.match(/^info .*"count":2001\} databases answer again$/);
  });

  it('says once that a database falls ill, and once that it recovers', async () => {
    const looks = [true, false, false, true];
    const check = async () => ({
      metadata: true,
      servers: { eu: true },
      serverProblems: {},
      organizations: { a: looks.shift() ?? true },
    });
    const monitor = new HealthMonitor({ health: { check }, intervalMs: 1000, logger });

    for (let look = 0; look < 4; look += 1) await monitor.look();

    expect(said).to.deep.equal([
      'error {"databases":["results_a"],"count":1} databases do not answer',
      'info {"databases":["results_a"],"count":1} databases answer again',
    ]);
  });
});
