/** The program of a runner process: one `migrate` command line of a release that does not exist, stopped at a gate. */
import { pathToFileURL } from 'node:url';
import { createContainer } from '../../infrastructure/composition/container.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { parseConfig } from '../../infrastructure/config/config.ts';
import { MigrationSource } from '../../infrastructure/migrations/migration-source.ts';
import { runCommandOn } from './command-line.ts';
import type { FleetChildMessage, FleetChildStart } from './fleet-child.ts';
import { aroundAttempts, asRelease } from './fleet.ts';

const tell = (message: FleetChildMessage): void => void process.send?.(message);

const run = async ({ environment, migrations, argv, gate }: FleetChildStart): Promise<void> => {
  const container = asRelease(
    createContainer(parseConfig(environment)),
    new MigrationSource(pathToFileURL(migrations)),
  );
  let attempts = 0;
  if (gate !== null) {
    aroundAttempts(container, async (_target, proceed) => {
      attempts += 1;
      // From the one at the gate on, nobody comes through any more.
      const stops = attempts >= gate.attempt;
      if (stops && gate.moment === 'before') await stand();
      await proceed();
      if (stops && gate.moment === 'after') await stand();
    });
  }
  const write = (text: string): void => tell({ event: 'line', text });
  const { exitCode } = await runCommandOn(container, argv, {}, { print: write, warn: write });
  await container.get(TOKENS.connectionManager).closeAll();
  tell({ event: 'ended', exitCode });
  process.disconnect();
};

const stand = (): Promise<never> => {
  tell({ event: 'at gate' });
  return new Promise(() => undefined);
};

process.once('message', (start: FleetChildStart) => void run(start));
