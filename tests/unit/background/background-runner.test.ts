import { expect } from 'chai';
import { BackgroundRunner } from '../../../infrastructure/background/background-runner.ts';
import { Gate } from '../../support/gate.ts';

describe('the background runner', () => {
  const report = { lastSuccessAt: null, failures: 0, lastRunSeconds: null };

  it('starts its tasks one after the other, and ends them together', async () => {
    const events: string[] = [];
    const [slow, gate] = [new Gate(), new Gate()];
    const task = (name: string, started: () => Promise<void> | void, closed: () => Promise<void>) => ({
      start: () => {
        events.push(`start ${name}`);
        return started();
      },
      close: () => {
        events.push(`close ${name}`);
        return closed();
      },
      report,
    });
    const runner = new BackgroundRunner({
      first: task(
        'first',
        () => slow.pass(),
        () => gate.pass(),
      ),
      second: task(
        'second',
        () => undefined,
        async () => gate.open(),
      ),
    });
    const starting = runner.start();
    await slow.reached;
    expect(events).to.deep.equal(['start first']);
    slow.open();
    await starting;
    await runner.close();
    expect(events).to.deep.equal(['start first', 'start second', 'close first', 'close second']);
    expect(runner.reports()).to.deep.equal([
      ['first', report],
      ['second', report],
    ]);
  });
});
