import { expect } from 'chai';
import { Periodic, type PeriodicOptions } from '../../../infrastructure/timing/periodic.ts';
import { Gate, until } from '../../support/gate.ts';

const NEVER_MS = 60_000;

describe('periodic work', () => {
  let begun: number;
  let failures: unknown[];
  let periodic: Periodic;

  beforeEach(() => {
    begun = 0;
    failures = [];
  });
  afterEach(() => periodic.close());

  const make = (options: Partial<PeriodicOptions> = {}): Periodic => {
    periodic = new Periodic({
      everyMs: NEVER_MS,
      work: async () => {
        begun += 1;
      },
      onFailure: (error) => failures.push(error),
      ...options,
    });
    return periodic;
  };
  /** Work that stops at a gate each time. */
  const gated = (gate: Gate, options: Partial<PeriodicOptions> = {}): Periodic =>
    make({
      work: async () => {
        begun += 1;
        await gate.pass();
      },
      ...options,
    });
  /** Lets time pass in which other work of the same pace would have been done. */
  const severalTimes = async (): Promise<void> => {
    let times = 0;
    const other = new Periodic({
      everyMs: 1,
      work: async () => {
        times += 1;
      },
      onFailure: () => undefined,
    });
    other.start();
    await until('it was done several times', () => times >= 3);
    await other.close();
  };

  it('is done again and again until it is closed', async () => {
    make({ everyMs: 1 }).start();
    await until('it was done again', () => begun >= 2);
    await periodic.close();
    const atClose = begun;
    await severalTimes();
    expect(begun).to.equal(atClose);
  });

  it('is begun at the start where that is asked for, once by two starts, and again after a close', async () => {
    make().start();
    expect(begun).to.equal(0);
    await periodic.close();
    make({ runsAtStart: true });
    periodic.start();
    periodic.start();
    expect(begun).to.equal(1);
    await periodic.close();
    periodic.start();
    expect(begun).to.equal(2);
  });

  it('is left out while it is under way, which the close waits for', async () => {
    const gate = new Gate();
    gated(gate, { everyMs: 1 }).start();
    await gate.reached;
    await severalTimes();
    expect(begun).to.equal(1);
    let closed = false;
    const closing = periodic.close().then(() => {
      closed = true;
    });
    await severalTimes();
    expect(closed).to.be.false;
    gate.open();
    await closing;
    expect(begun).to.equal(1);
  });

  it('goes on after a failure, which is told and counted', async () => {
    make({ everyMs: 1, work: () => Promise.reject(new Error('away')) }).start();
    await until('it was tried again', () => failures.length >= 2);
    expect(String(failures[0])).to.include('away');
    expect(periodic.report.failures).to.equal(failures.length);
    expect(periodic.report.lastSuccessAt).to.equal(null);
  });

  it('reports when it went well, and how long it took', async () => {
    make();
    expect(periodic.report).to.deep.equal({
      lastSuccessAt: null,
      failures: 0,
      lastRunSeconds: null,
      everySeconds: periodic.report.everySeconds,
      nextRunAt: null,
    });
    await periodic.run();
    const { lastSuccessAt, lastRunSeconds, failures: failed } = periodic.report;
    expect(lastSuccessAt).to.be.closeTo(Date.now() / 1000, 5);
    expect(lastRunSeconds).to.be.within(0, 5);
    expect(failed).to.equal(0);
  });

  describe('that is kicked', () => {
    it('is done before its time, once by two kicks with a delay', async () => {
      make().start();
      periodic.kick(1);
      periodic.kick(1);
      await until('it was done', () => begun > 0);
      await severalTimes();
      expect(begun).to.equal(1);
    });

    it('is done once more after the run under way, however often it is kicked meanwhile', async () => {
      const gate = new Gate();
      gated(gate).start();
      periodic.kick();
      await gate.reached;
      for (let kicks = 0; kicks < 3; kicks += 1) periodic.kick();
      expect(begun).to.equal(1);
      gate.open();
      await until('it was done again', () => begun === 2);
      await severalTimes();
      expect(begun).to.equal(2);
    });

    it('is not done before the start, nor after the close', async () => {
      make();
      periodic.kick();
      periodic.start();
      periodic.kick(1);
      await periodic.close();
      periodic.kick();
      await severalTimes();
      expect(begun).to.equal(0);
    });
  });
});
