import type { z } from 'zod';
import { getCampaign } from '../../../application/campaigns/get-campaign.ts';
import { ORGANIZATION_ROLES } from '../../../domain/identity/role.ts';
import type { RankingRequest } from '../../../domain/jobs/ranking.ts';
import { ok } from '../request/reply.ts';
import { presentPage } from '../request/schema/cursor.ts';
import { resultsRoute, type Route } from '../routing/route.ts';
import { presentRankedJob } from './ranking-presenter.ts';
import { rankingCursor, rankingPage, rankingRequest, type RankingPosition } from './ranking-schema.ts';

const tag = 'campaigns';
const path = '/organizations/{org_id}/campaigns/{campaign_id}/results';

export const rankingRoutes = (): readonly Route[] => [rankCampaignRoute()];

const rankCampaignRoute = (): Route =>
  resultsRoute(ORGANIZATION_ROLES, {
    method: 'get',
    path,
    name: 'rankCampaign',
    summary: "Rank a campaign's completed jobs by their best poses",
    tag,
    request: rankingRequest,
    compress: true,
    replies: { 200: { description: 'One page', schema: rankingPage } },
    errors: ['campaign_not_found'],
    handle: async ({ input: { params, query }, database, pages }) => {
      await getCampaign(database, params.campaign_id);
      const { sort, order, cursor, limit } = query;
      const request = toRanking(params.campaign_id, query, query.poses);
      const before = cursor?.rank ?? 0;
      const { items, next } = await pages.read({ limit, cursor: cursor?.key ?? null }, (page) =>
        database.scores.rank(request, page),
      );
      const placed = items.map((job, index) => ({ ...job, rank: before + index + 1 }));
      const position: RankingPosition | null =
        next === null ? null : { sort, order, key: next, rank: before + items.length };
      return ok(presentPage({ items: placed, next: position }, presentRankedJob, rankingCursor));
    },
  });

type Filters = Pick<
  z.output<typeof rankingRequest.query>,
  'sort' | 'order' | 'max_affinity' | 'label_prefix' | 'include_suspect'
>;

const toRanking = (campaignId: string, filters: Filters, poses: number): RankingRequest => ({
  campaignId,
  sort: filters.sort,
  order: filters.order,
  maxAffinity: filters.max_affinity ?? null,
  labelPrefix: filters.label_prefix ?? null,
  includesSuspect: filters.include_suspect,
  poses,
});
