import { expect } from 'chai';
import type { Logger } from '../../../application/ports/runtime/logger.ts';
import { HealthMonitor } from '../../../infrastructure/background/health-monitor.ts';

describe('the health monitor', () => {
  it('says once that a database falls ill, and once that it recovers', async () => {
    const said: string[] = [];
    const say =
      (level: string) =>
      (fields: object, message: string): void => {
        said.push(`${level} ${JSON.stringify(fields)} ${message}`);
      };
    const logger: Logger = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
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
      'error {"database":"results_a"} a database does not answer',
      'info {"database":"results_a"} a database answers again',
    ]);
  });
});
