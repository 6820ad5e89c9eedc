import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useRef, useState } from 'react';
import { dataOf, newIdempotencyKey, useApi, useContextOfPages } from '../api/client.ts';
import { number } from '../format.ts';
import { toast } from '../ui/toast.tsx';
import { dropDraft, requestOf, type Draft } from './draft.ts';

/** Of one request. */
const MOST_ITEMS = 1000;

/**
 * Submits a draft: one ligand without a campaign as a job, others as batches of a campaign. What failed in the middle goes on
 * where it was: the campaign is made once, and each batch has a key.
 */
export const useSubmit = (draft: Draft) => {
  const api = useApi();
  const orgId = useContextOfPages() ?? '';
  const navigate = useNavigate();
  const queries = useQueryClient();
  const done = useRef<{ key: string; campaignId: string | null }>({
    key: newIdempotencyKey(),
    campaignId: null,
  });
  const [state, setState] = useState<{ readonly busy: boolean; readonly error: unknown }>({
    busy: false,
    error: null,
  });

  const campaignOf = async (common: Pick<ReturnType<typeof requestOf>, 'engine' | 'inputs' | 'params'>) => {
    if (draft.campaignId !== null) return draft.campaignId;
    done.current.campaignId ??= (
      await dataOf(api.POST('/campaigns', { body: { name: draft.name.trim(), ...common } }))
    ).campaign_id;
    return done.current.campaignId;
  };

  const perform = async (): Promise<void> => {
    const { items, ...common } = requestOf(draft);
    const [single] = items;
    const query = { use_cache: draft.usesCache };
    if (items.length === 1 && single !== undefined && draft.campaignId === null && draft.name.trim() === '') {
      const job = await dataOf(
        api.POST('/jobs', {
          params: { query, header: { 'Idempotency-Key': done.current.key } },
          body: { ...common, label: single.label, inputs: { ...common.inputs, ...single.inputs } },
        }),
      );
      await navigate({ to: '/o/$orgId/jobs/$jobId', params: { orgId, jobId: job.job_id } });
      return;
    }
    const campaignId = await campaignOf(common);
    for (let from = 0; from < items.length; from += MOST_ITEMS)
      await api.POST('/job-batches', {
        params: { query, header: { 'Idempotency-Key': `${done.current.key}-${from}` } },
        body: { ...common, campaign_id: campaignId, items: items.slice(from, from + MOST_ITEMS) },
      });
    toast(`${number(items.length)} jobs are submitted.`);
    await navigate({ to: '/o/$orgId/campaigns/$campaignId', params: { orgId, campaignId } });
  };

  const submit = async (): Promise<void> => {
    setState({ busy: true, error: null });
    try {
      await perform();
      dropDraft(orgId);
      await queries.invalidateQueries({ queryKey: ['o', orgId] });
    } catch (error) {
      setState({ busy: false, error });
    }
  };
  return { ...state, submit };
};
