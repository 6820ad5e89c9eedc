import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  type Sampler,
} from '@opentelemetry/sdk-trace';
import type { SamplerName } from '../../application/ports/runtime/tracing.ts';

export interface SamplerOptions {
  readonly name: SamplerName;
  /** For `traceidratio`: the part of the traces that is recorded, from 0 to 1. */
  readonly ratio: number;
}

/** What decides of a trace whether it is recorded, by the names of OpenTelemetry. */
export const samplerOf = ({ name, ratio }: SamplerOptions): Sampler => {
  switch (name) {
    case 'always_on':
      return new AlwaysOnSampler();
    case 'always_off':
      return new AlwaysOffSampler();
    case 'traceidratio':
      return new TraceIdRatioBasedSampler(ratio);
    case 'parentbased_always_on':
      return new ParentBasedSampler({ root: new AlwaysOnSampler() });
    case 'parentbased_always_off':
      return new ParentBasedSampler({ root: new AlwaysOffSampler() });
    case 'parentbased_traceidratio':
      return new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) });
  }
};
