import { expect } from 'chai';
import type { FleetRun } from '../../../application/ports/fleet/fleet-ledger.ts';
import { RunServer } from '../../../infrastructure/background/run-server.ts';
import { Gate } from '../../support/gate.ts';
import { FakeService } from '../../support/fakes/fake-service.ts';
import { seedSamples } from '../../support/fakes/samples.ts';

describe('A process that works on migration runs', () => {
  let run: FleetRun;
  let served: AbortSignal[];
  let gate: Gate;
  let server: RunServer;

  beforeEach(async () => {
    const service = new FakeService();
    await seedSamples(service, 'somebody');
    const [first] = service.fleet.runs;
    if (first === undefined) throw new Error('the samples have a run');
    run = first;
    served = [];
    gate = new Gate();
    server = new RunServer({
      find: async () => run,
      serve: async (_run, { signal }) => {
        served.push(signal);
        await gate.pass();
      },
      concurrency: 1,
      farewellMs: 1,
      logger: service.logger,
    });
  });

  it('works on one at a time, and does not wait for its end to look again', async () => {
    await server.run();
    await server.run();
    expect(served).to.have.length(1);
    gate.open();
    await server.close();
    expect(served[0]?.aborted).to.equal(true);
  });

  it('is told to stop at once, and is waited for no longer than is said', async () => {
    await server.run();
    await gate.reached;
    await server.close();
    expect(served[0]?.aborted).to.equal(true);
    await server.run();
    expect(served, 'after the stop').to.have.length(1);
    gate.open();
  });
});
