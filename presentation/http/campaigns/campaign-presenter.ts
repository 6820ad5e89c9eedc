import type { z } from 'zod';
import type { Campaign, CampaignCounts } from '../../../domain/campaigns/campaign.ts';
import type { JsonText } from '../../../domain/json-text.ts';
import { jsonObject } from '../request/json-object.ts';
import type { campaignReply, countsReply } from './campaign-schema.ts';

type SmallFields = Omit<z.output<typeof campaignReply>, 'inputs' | 'params'>;

export const presentCampaign = (campaign: Campaign): JsonText => presentWith(campaign, {});

export const presentCampaignStatus = (campaign: Campaign & CampaignCounts): JsonText => {
  const counts: z.output<typeof countsReply> = { counts: campaign.byStatus, suspect: campaign.suspect };
  return presentWith(campaign, counts);
};

const presentWith = (campaign: Campaign, further: object): JsonText => {
  const { inputs, params } = campaign;
  return jsonObject({ ...smallFieldsOf(campaign), ...further }, { inputs, params });
};

const smallFieldsOf = (campaign: Campaign): SmallFields => ({
  campaign_id: campaign.campaignId,
  name: campaign.name,
  description: campaign.description,
  engine: campaign.engine,
  priority: campaign.priority,
  created_by: campaign.createdBy,
  created_at: campaign.createdAt.toISOString(),
  updated_at: campaign.updatedAt.toISOString(),
  archived_at: campaign.archivedAt?.toISOString() ?? null,
});
