import type { JsonObject } from '../jobs/docking-job.ts';

/** What a campaign, a batch or a submission says about jobs. Null, or an empty object, says nothing. */
export interface JobDefaults {
  readonly engine: string | null;
  readonly inputs: JsonObject;
  readonly params: JsonObject;
  readonly priority: number | null;
}

export const NO_DEFAULTS: JobDefaults = { engine: null, inputs: {}, params: {}, priority: null };

/** Lays `own` over `defaults`. A member of `inputs` or `params` replaces the one of its name as a whole: nothing is merged within it. */
export const overDefaults = (defaults: JobDefaults, own: JobDefaults): JobDefaults => ({
  engine: own.engine ?? defaults.engine,
  inputs: { ...defaults.inputs, ...own.inputs },
  params: { ...defaults.params, ...own.params },
  priority: own.priority ?? defaults.priority,
});
