import { expect } from 'chai';
import { findServedRun } from '../../../application/fleet/serve-run.ts';
import type { FleetRun } from '../../../application/ports/fleet/fleet-ledger.ts';
import { FakeService } from '../../support/fakes/fake-service.ts';
import { seedSamples } from '../../support/fakes/samples.ts';

type ServedRunPorts = Parameters<typeof findServedRun>[0];

describe('The run that a process of the service works on', () => {
  const find = async (fields: Partial<FleetRun>, newest = 3): Promise<number | null> => {
    const service = new FakeService();
    await seedSamples(service, 'somebody');
    const [sample] = service.fleet.runs;
    if (sample === undefined) throw new Error('the samples have a run');
    const run: FleetRun = { ...sample, state: 'running', serviceSchemaVersion: 3, ...fields };
    // Nothing else is asked of them.
    const ports = {
      ledger: { latestRun: async () => run },
      migrator: { newestVersion: async () => newest },
    } as unknown as ServedRunPorts;
    return (await findServedRun(ports)())?.runId ?? null;
  };

  it('is one under way that operators gave to the service', async () => {
    expect(await find({})).to.equal(1);
    expect(await find({ serviceSchemaVersion: null })).to.equal(null);
    for (const state of ['paused', 'halted', 'finished'] as const)
      expect(await find({ state })).to.equal(null);
  });

  it('is none of which the process does not know all migrations', async () => {
    expect(await find({}, 2)).to.equal(null);
    expect(await find({}, 4)).to.equal(1);
  });
});
