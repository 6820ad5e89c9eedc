import { useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { dataOf, useApi, useContextOfPages, type Schemas } from '../api/client.ts';
import { number } from '../format.ts';
import { ActionDialog } from '../ui/dialog.tsx';
import { toast } from '../ui/toast.tsx';

interface CampaignDialogProps {
  readonly campaign: Schemas['CampaignStatus'];
  readonly onClose: () => void;
}

export const ArchiveDialog = ({ campaign, onClose }: CampaignDialogProps): ReactNode => {
  const api = useApi();
  const context = useContextOfPages();
  const queries = useQueryClient();
  const archived = campaign.archived_at === null;
  const change = async (): Promise<void> => {
    const path = { campaign_id: campaign.campaign_id };
    await api.PATCH('/campaigns/{campaign_id}', { params: { path }, body: { archived } });
    await queries.invalidateQueries({ queryKey: ['o', context] });
    toast(archived ? `${campaign.name} is archived.` : `${campaign.name} takes jobs again.`);
  };
  return (
    <ActionDialog
      title={archived ? `Archive ${campaign.name}` : `Take ${campaign.name} back`}
      act={archived ? 'Archive it' : 'Take it back'}
      perform={change}
      onClose={onClose}
    >
      <p>
        {archived
          ? 'It takes no new jobs and no retries, and leaves the list. All results stay. It can be taken back.'
          : 'It takes jobs again, and is in the list again.'}
      </p>
    </ActionDialog>
  );
};

export const CancelDialog = ({ campaign, onClose }: CampaignDialogProps): ReactNode => {
  const api = useApi();
  const context = useContextOfPages();
  const queries = useQueryClient();
  const { PENDING: waiting, RUNNING: running } = campaign.counts;
  const cancel = async (): Promise<void> => {
    const { canceled } = await dataOf(
      api.POST('/jobs/cancel', { body: { campaign_id: campaign.campaign_id } }),
    );
    await queries.invalidateQueries({ queryKey: ['o', context] });
    toast(`${number(canceled)} jobs are canceled.`);
  };
  return (
    <ActionDialog title="Cancel what is open" act="Cancel these jobs" perform={cancel} onClose={onClose}>
      <p>
        {number(waiting)} jobs wait and {number(running)} run. Workers stop within a minute. What is completed
        stays. Members cancel their own jobs; administrators cancel all of them.
      </p>
      <p className="faint">Canceled jobs can be submitted again, one by one.</p>
    </ActionDialog>
  );
};
