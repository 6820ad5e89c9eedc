import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { parse } from 'yaml';
import { VARIABLES } from '../../../infrastructure/config/variables.ts';

const DEPLOYMENT = new URL('../../../infrastructure/deployment/', import.meta.url);
/** Between the end of the service's own deadline and the SIGKILL. */
const MARGIN_MS = 5000;

const textOf = (path: string): string => readFileSync(new URL(path, DEPLOYMENT), 'utf8');

/** The chart computes its own from the values, which is tested with the chart. */
describe('Whoever kills the service waits until its own deadline is over', () => {
  const neededSeconds = (VARIABLES.SHUTDOWN_TIMEOUT_MS.fallback + MARGIN_MS) / 1000;

  it('with Compose', () => {
    // A Compose file is a mapping of services.
    const { services } = parse(textOf('compose/compose.yaml'), { merge: true }) as {
      readonly services: Readonly<
        Record<string, { readonly image: string; readonly stop_grace_period?: string }>
      >;
    };
    const ours = Object.entries(services).filter(([, { image }]) => image.includes('_IMAGE:-mad'));
    expect(ours.map(([name]) => name)).to.deep.equal(['service-a', 'service-b', 'worker']);
    for (const [name, { stop_grace_period: grace = '10s' }] of ours) {
      expect(grace, name).to.match(/^\d+s$/);
      expect(Number.parseInt(grace, 10), name).to.be.at.least(neededSeconds);
    }
  });

  it('with systemd', () => {
    for (const unit of ['mad', 'mad-worker']) {
      const [, seconds] = /^TimeoutStopSec=(\d+)$/m.exec(textOf(`systemd/${unit}.service`)) ?? [];
      expect(Number(seconds ?? 90), unit).to.be.at.least(neededSeconds);
    }
  });
});
