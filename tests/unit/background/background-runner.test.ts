import { expect } from 'chai';
import { BackgroundRunner } from '../../../infrastructure/background/background-runner.ts';
import { DeniedAccessSummaries } from '../../../infrastructure/background/denied-access-summaries.ts';
import { OutboxRelayLoop } from '../../../infrastructure/background/outbox-relay-loop.ts';
import { Gate, until } from '../../support/gate.ts';

describe('the background runner', () => {
  const report = { lastSuccessAt: null, failures: 0, lastRunSeconds: null, everySeconds: 1, nextRunAt: null };

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
      run: async () => undefined,
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

  it('does one task when that is asked for, and knows no other name', async () => {
    let runs = 0;
    const loop = {
      start: () => undefined,
      close: async () => undefined,
      run: async () => void (runs += 1),
      report: { ...report, lastSuccessAt: 1.5, nextRunAt: 16.5, everySeconds: 15 },
    };
    const runner = new BackgroundRunner({ refill: loop });
    const task = {
      name: 'refill',
      lastSuccessAt: new Date(1500),
      nextRunAt: new Date(16_500),
      everySeconds: 15,
      lastRunSeconds: null,
      failures: 0,
      isRunning: false,
    };
    expect(runner.list()).to.deep.equal([task]);
    expect(await runner.run('refill')).to.deep.equal(task);
    expect(runs).to.equal(1);
    for (const name of ['other', 'constructor']) expect(await runner.run(name)).to.equal(null);
  });

  it('has the relay look from its opening to its close, and reports the failures of the relay', async () => {
    const events: string[] = [];
    const relay = {
      failures: 3,
      oldestMs: 7,
      open: () => void events.push('open'),
      look: () => void events.push('look'),
      close: async () => void events.push('close'),
    };
    const loop = new OutboxRelayLoop(relay, 1);
    loop.start();
    await until('it has looked twice', () => events.length >= 3);
    await loop.close();
    expect([events[0], events[1], events.at(-1)]).to.deep.equal(['open', 'look', 'close']);
    expect(loop.report).to.include({ failures: 3 });
    expect(loop.oldestMs).to.equal(7);
    expect(loop.report.lastSuccessAt).to.be.a('number');
  });

  it('has the sums of refused callers written down when it closes, also of the minute that is not over', async () => {
    const written: { readonly all: boolean }[] = [];
    const summaries = new DeniedAccessSummaries(async (which) => void written.push(which));
    summaries.start();
    await summaries.close();
    expect(written).to.deep.equal([{ all: true }]);
  });
});
