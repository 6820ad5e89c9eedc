import { changeCampaign } from '../../../application/campaigns/change-campaign.ts';
import { getCampaignStatus } from '../../../application/campaigns/get-campaign.ts';
import { ORGANIZATION_ROLES } from '../../../domain/identity/role.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { created, ok } from '../request/reply.ts';
import { presentPage } from '../request/schema/cursor.ts';
import { resultsRoute, TEXT_BODY_BYTES, type Route } from '../routing/route.ts';
import { presentCampaign, presentCampaignStatus } from './campaign-presenter.ts';
import {
  campaignCursor,
  campaignPage,
  campaignReply,
  campaignRequest,
  campaignStatusReply,
  changeRequest,
  createRequest,
  listRequest,
} from './campaign-schema.ts';

const tag = 'campaigns';
const path = '/organizations/{org_id}/campaigns';

export const campaignRoutes = (deps: HttpDependencies): readonly Route[] => [
  createCampaignRoute(deps),
  listCampaignsRoute(),
  getCampaignRoute(),
  changeCampaignRoute(),
];

/** Its body is small although it holds inputs and parameters: they are written again with each job. */
const createCampaignRoute = ({ createCampaign }: HttpDependencies): Route =>
  resultsRoute(['member', 'org_admin'], {
    method: 'post',
    path,
    name: 'createCampaign',
    summary: 'Make a campaign, with what its jobs have in common',
    tag,
    request: createRequest,
    maxBodyBytes: TEXT_BODY_BYTES,
    replies: { 201: { description: 'The new campaign', schema: campaignReply } },
    handle: async ({ input: { body }, actor, database, home }) => {
      const { name, inputs, params } = body;
      const campaign = await createCampaign(database, actor, {
        name,
        description: body.description ?? null,
        engine: body.engine ?? null,
        inputs,
        params,
        priority: body.priority ?? null,
      });
      return created(presentCampaign(campaign), `${home}/campaigns/${campaign.campaignId}`);
    },
  });

const listCampaignsRoute = (): Route =>
  resultsRoute(ORGANIZATION_ROLES, {
    method: 'get',
    path,
    name: 'listCampaigns',
    summary: 'List campaigns, newest first',
    tag,
    request: listRequest,
    compress: true,
    replies: { 200: { description: 'One page', schema: campaignPage } },
    handle: async ({ input: { query }, database, pages }) => {
      const filter = { archived: query.archived ?? null };
      const page = await pages.readSized(query, (part) => database.campaigns.list(filter, part));
      return ok(presentPage(page, presentCampaign, campaignCursor));
    },
  });

const getCampaignRoute = (): Route =>
  resultsRoute(ORGANIZATION_ROLES, {
    method: 'get',
    path: `${path}/{campaign_id}`,
    name: 'getCampaign',
    summary: 'Show a campaign, and how many of its jobs are in which status',
    tag,
    request: campaignRequest,
    replies: { 200: { description: 'The campaign', schema: campaignStatusReply } },
    errors: ['campaign_not_found'],
    handle: async ({ input: { params }, database }) =>
      ok(presentCampaignStatus(await getCampaignStatus(database, params.campaign_id))),
  });

const changeCampaignRoute = (): Route =>
  resultsRoute(['member', 'org_admin'], {
    method: 'patch',
    path: `${path}/{campaign_id}`,
    name: 'changeCampaign',
    summary: 'Rename a campaign, archive it, or take it back',
    tag,
    request: changeRequest,
    replies: { 200: { description: 'The campaign as it is now', schema: campaignReply } },
    errors: ['campaign_not_found'],
    handle: async ({ input: { params, body }, actor, database }) =>
      ok(presentCampaign(await changeCampaign(database, actor, params.campaign_id, body))),
  });
