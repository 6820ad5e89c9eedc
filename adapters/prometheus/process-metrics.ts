import { collectDefaultMetrics, Registry } from 'prom-client';

let registry: Registry | undefined;

/**
 * Memory, CPU, event loop and garbage collection of this process, under the names that stock dashboards look for. There is one
 * registry, however many services a process has: its timer and its observer run until the process ends.
 */
export const processMetrics = (): Registry => {
  registry ??= collectProcessMetrics();
  return registry;
};

const collectProcessMetrics = (): Registry => {
  const collected = new Registry();
  collectDefaultMetrics({ register: collected });
  // Gauges, which must not end like counters. `nodejs_active_resources` has the same numbers, by their type.
  for (const kind of ['handles', 'requests', 'resources'])
    collected.removeSingleMetric(`nodejs_active_${kind}_total`);
  return collected;
};
