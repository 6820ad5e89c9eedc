import { expect } from 'chai';
import { runPhases, type ShutdownPhase } from '../../../infrastructure/http-server/shutdown.ts';
import { Gate } from '../../support/gate.ts';
import { FakeLogger } from '../../support/fakes/fake-logger.ts';

const logger = new FakeLogger();

describe('The phases of a stop', () => {
  const ran: string[] = [];
  const phase = (name: string, endsBy: number, work = async (): Promise<void> => {}): ShutdownPhase => ({
    name,
    endsBy,
    run: () => {
      ran.push(name);
      return work();
    },
  });
  beforeEach(() => ran.splice(0));

  it('run one after another, and none is left unfinished when all end', async () => {
    const phases = [phase('requests', 0.5), phase('pools', 1)];
    expect(await runPhases(phases, { timeoutMs: 60_000, logger })).to.deep.equal([]);
    expect(ran).to.deep.equal(['requests', 'pools']);
  });

  it('share one deadline: those that never end leave those after them their part of the time', async () => {
    const stuck = new Gate();
    const beganAt = performance.now();
    const unfinished = await runPhases(
      [
        phase('requests', 0.5, () => stuck.pass()),
        phase('audit entries', 0.6),
        phase('background work', 0.8, () => stuck.pass()),
        phase('pools', 0.9, () => Promise.reject(new Error('no'))),
        phase('server', 1, () => stuck.pass()),
      ],
      { timeoutMs: 100, logger },
    );
    expect(unfinished).to.deep.equal(['requests', 'background work', 'pools', 'server']);
    expect(ran).to.have.length(5);
    // The one bound in time that is the behaviour itself, with room for a busy machine.
    expect(performance.now() - beganAt).to.be.within(90, 1000);
    stuck.open();
  });
});
