import type { ResultsRepositories } from '../../../application/ports/databases/results-database.ts';
import type { WriteNote } from '../../../domain/audit/audit-log.ts';
import type { Campaign, CampaignCounts } from '../../../domain/campaigns/campaign.ts';
import { JOB_STATUSES, type DockingJob } from '../../../domain/jobs/docking-job.ts';
import { JsonText } from '../../../domain/json-text.ts';
import { asJsonb } from './as-jsonb.ts';
import { fakePart } from './fake-part.ts';
import type { FakeScore } from './fake-scores.ts';

interface Stored {
  readonly campaigns: Map<string, Campaign>;
  readonly jobs: ReadonlyMap<string, DockingJob>;
  readonly scores: ReadonlyMap<string, FakeScore>;
  readonly notes: WriteNote[];
  readonly now: () => Date;
}

export const fakeCampaigns = (stored: Stored): ResultsRepositories['campaigns'] => ({
  insert: async ({ note, inputs, params, ...campaign }) => {
    const at = stored.now();
    const made: Campaign = {
      ...campaign,
      inputs: JsonText.of(asJsonb(inputs)),
      params: JsonText.of(asJsonb(params)),
      createdAt: at,
      updatedAt: at,
      archivedAt: null,
    };
    stored.campaigns.set(made.campaignId, made);
    stored.notes.push(note);
    return made;
  },
  find: async (campaignId) => stored.campaigns.get(campaignId) ?? null,
  count: async (campaignId) => {
    const ofCampaign = [...stored.jobs.values()].filter((job) => job.campaignId === campaignId);
    const counts = JOB_STATUSES.map((status) => [
      status,
      ofCampaign.filter((job) => job.status === status).length,
    ]);
    return {
      byStatus: Object.fromEntries(counts) as CampaignCounts['byStatus'],
      suspect: [...stored.scores.values()].filter(
        (score) => score.campaignId === campaignId && score.suspect.length > 0,
      ).length,
    };
  },
  list: async ({ archived }, part) => {
    const { after } = part;
    const compare = (one: KeyOfCampaign, other: KeyOfCampaign) =>
      other.createdAt.getTime() - one.createdAt.getTime() ||
      (one.campaignId < other.campaignId ? 1 : -Number(one.campaignId > other.campaignId));
    const following = [...stored.campaigns.values()]
      .filter(({ archivedAt }) => archived === null || (archivedAt !== null) === archived)
      .toSorted(compare)
      .filter((campaign) => after === null || compare(after, campaign) < 0);
    return fakePart(following, part, ({ createdAt, campaignId }) => ({ createdAt, campaignId }));
  },
  change: async (campaignId, { name, archived }, note) => {
    const campaign = stored.campaigns.get(campaignId);
    if (campaign === undefined) return null;
    const at = stored.now();
    const archivedAt =
      archived === undefined ? campaign.archivedAt : archived ? (campaign.archivedAt ?? at) : null;
    const changed = { ...campaign, name: name ?? campaign.name, archivedAt, updatedAt: at };
    stored.campaigns.set(campaignId, changed);
    stored.notes.push(note);
    return changed;
  },
});

type KeyOfCampaign = Pick<Campaign, 'createdAt' | 'campaignId'>;
