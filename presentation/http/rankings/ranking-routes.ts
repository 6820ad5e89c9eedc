import type { z } from 'zod';
import { affinityHistogram } from '../../../application/campaigns/affinity-histogram.ts';
import { exportPoses } from '../../../application/campaigns/export-poses.ts';
import { exportRanking } from '../../../application/campaigns/export-ranking.ts';
import { getCampaign } from '../../../application/campaigns/get-campaign.ts';
import { ORGANIZATION_ROLES } from '../../../domain/identity/role.ts';
import type { ScoreFilter } from '../../../domain/jobs/affinity-histogram.ts';
import type { RankingRequest } from '../../../domain/jobs/ranking.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { ok, TextStream, type Reply } from '../request/reply.ts';
import { presentPage } from '../request/schema/cursor.ts';
import { filesRoute, resultsRoute, type Route } from '../routing/route.ts';
import { asCsv, asLines, asModels, presentRankedJob } from './ranking-presenter.ts';
import {
  exportCsvRequest,
  exportLinesRequest,
  histogramReply,
  histogramRequest,
  exportPosesRequest,
  rankingCursor,
  rankingPage,
  rankingRequest,
  type RankingPosition,
} from './ranking-schema.ts';

const tag = 'campaigns';
const campaign = '/organizations/{org_id}/campaigns/{campaign_id}';
const path = `${campaign}/results`;

export const rankingRoutes = (deps: HttpDependencies): readonly Route[] => [
  rankCampaignRoute(),
  histogramRoute(),
  exportCsvRoute(),
  exportLinesRoute(),
  exportPosesRoute(deps),
];

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

const histogramRoute = (): Route =>
  resultsRoute(ORGANIZATION_ROLES, {
    method: 'get',
    path: `${campaign}/histogram`,
    name: 'getCampaignHistogram',
    summary: "Count a campaign's completed jobs by their best affinity",
    tag,
    request: histogramRequest,
    replies: { 200: { description: 'The bins', schema: histogramReply } },
    errors: ['campaign_not_found'],
    handle: async ({ input: { params, query }, database }) => {
      const filter = toFilter(params.campaign_id, query);
      const { edges, counts, below, above } = await affinityHistogram(database, filter, query.bins);
      return ok({ edges: [...edges], counts: [...counts], below, above });
    },
  });

const exportCsvRoute = (): Route =>
  filesRoute(ORGANIZATION_ROLES, {
    method: 'get',
    path: `${path}.csv`,
    name: 'exportCampaignCsv',
    summary: "Download the whole ranking of a campaign's completed jobs as a table",
    tag,
    request: exportCsvRequest,
    compress: true,
    replies: { 200: { description: 'The table, with a header', contentType: 'text/csv' } },
    errors: ['campaign_not_found'],
    handle: async ({ input: { params, query }, withDatabase }) => {
      const campaignId = params.campaign_id;
      await withDatabase((database) => getCampaign(database, campaignId));
      const pages = exportRanking(withDatabase, toRanking(campaignId, query, 1));
      return download(`${campaignId}.csv`, 'text/csv; charset=utf-8; header=present', asCsv(pages));
    },
  });

const exportLinesRoute = (): Route =>
  filesRoute(ORGANIZATION_ROLES, {
    method: 'get',
    path: `${path}.ndjson`,
    name: 'exportCampaignLines',
    summary: "Download the whole ranking of a campaign's completed jobs, a JSON object on each line",
    tag,
    request: exportLinesRequest,
    compress: true,
    replies: { 200: { description: 'The lines', contentType: 'application/x-ndjson' } },
    errors: ['campaign_not_found'],
    handle: async ({ input: { params, query }, withDatabase }) => {
      const campaignId = params.campaign_id;
      await withDatabase((database) => getCampaign(database, campaignId));
      const pages = exportRanking(withDatabase, toRanking(campaignId, query, query.poses));
      return download(`${campaignId}.ndjson`, 'application/x-ndjson', asLines(pages));
    },
  });

const exportPosesRoute = ({ fileStore }: HttpDependencies): Route =>
  filesRoute(ORGANIZATION_ROLES, {
    method: 'get',
    path: `${campaign}/poses.pdbqt`,
    name: 'exportCampaignPoses',
    summary: "Download the best poses of a campaign's best jobs as one PDBQT file",
    tag,
    request: exportPosesRequest,
    compress: true,
    replies: {
      200: { description: 'A model for each job, the best first', contentType: 'chemical/x-pdbqt' },
    },
    errors: ['campaign_not_found'],
    handle: async ({ input: { params, query }, organizationId, withDatabase }) => {
      const campaignId = params.campaign_id;
      await withDatabase((database) => getCampaign(database, campaignId));
      const request = toRanking(campaignId, { ...query, sort: 'affinity', order: 'asc' }, 1);
      const poses = exportPoses({ withDatabase, fileStore, organizationId }, request, query.top);
      return download(`${campaignId}.pdbqt`, 'chemical/x-pdbqt; charset=utf-8', asModels(poses));
    },
  });

/** @param name of letters, digits, dots and hyphens */
const download = (name: string, contentType: string, parts: AsyncIterable<string>): Reply => ({
  status: 200,
  body: new TextStream(parts),
  headers: { 'Content-Type': contentType, 'Content-Disposition': `attachment; filename="${name}"` },
});

type Filters = Pick<
  z.output<typeof rankingRequest.query>,
  'sort' | 'order' | 'min_affinity' | 'max_affinity' | 'label_prefix' | 'include_suspect'
>;

const toRanking = (campaignId: string, filters: Filters, poses: number): RankingRequest => ({
  ...toFilter(campaignId, filters),
  sort: filters.sort,
  order: filters.order,
  poses,
});

const toFilter = (
  campaignId: string,
  filters: Pick<Filters, 'min_affinity' | 'max_affinity' | 'label_prefix' | 'include_suspect'>,
): ScoreFilter => ({
  campaignId,
  minAffinity: filters.min_affinity ?? null,
  maxAffinity: filters.max_affinity ?? null,
  labelPrefix: filters.label_prefix ?? null,
  includesSuspect: filters.include_suspect,
});
