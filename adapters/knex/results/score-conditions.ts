import type { ScoreFilter } from '../../../domain/jobs/affinity-histogram.ts';

/** Which conditions a query of `job_scores` has. */
export interface FilterShape {
  readonly hasMinAffinity: boolean;
  readonly hasMaxAffinity: boolean;
  readonly hasPrefix: boolean;
}

export const shapeOf = ({
  minAffinity,
  maxAffinity,
  labelPrefix,
}: Pick<ScoreFilter, 'minAffinity' | 'maxAffinity' | 'labelPrefix'>): FilterShape => ({
  hasMinAffinity: minAffinity !== null,
  hasMaxAffinity: maxAffinity !== null,
  hasPrefix: labelPrefix !== null,
});

/** @param bind takes the key of a value and returns its place in the query */
export const scoreConditions = (
  shape: FilterShape,
  bind: (key: 'campaignId' | 'minAffinity' | 'maxAffinity' | 'labelPrefix') => string,
): readonly string[] => [
  `campaign_id = ${bind('campaignId')}`,
  ...(shape.hasMinAffinity ? [`best_affinity >= ${bind('minAffinity')}::double precision`] : []),
  ...(shape.hasMaxAffinity ? [`best_affinity <= ${bind('maxAffinity')}::double precision`] : []),
  ...(shape.hasPrefix ? [`label ^@ ${bind('labelPrefix')}::text`] : []),
];
