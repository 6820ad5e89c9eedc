import type { ScoreFilter } from '../../../domain/jobs/affinity-histogram.ts';

/** Which conditions a query of `job_scores` has. */
export interface FilterShape {
  readonly hasMaxAffinity: boolean;
  readonly hasPrefix: boolean;
}

export const shapeOf = ({
  maxAffinity,
  labelPrefix,
}: Pick<ScoreFilter, 'maxAffinity' | 'labelPrefix'>): FilterShape => ({
  hasMaxAffinity: maxAffinity !== null,
  hasPrefix: labelPrefix !== null,
});

/** @param bind takes the key of a value and returns its place in the query */
export const scoreConditions = (
  shape: FilterShape,
  bind: (key: 'campaignId' | 'maxAffinity' | 'labelPrefix') => string,
): readonly string[] => [
  `campaign_id = ${bind('campaignId')}`,
  ...(shape.hasMaxAffinity ? [`best_affinity <= ${bind('maxAffinity')}::double precision`] : []),
  ...(shape.hasPrefix ? [`label ^@ ${bind('labelPrefix')}::text`] : []),
];
