import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useRef, useState } from 'react';
import { dataOf, newIdempotencyKey, useApi, useContextOfPages } from '../api/client.ts';
import { number } from '../format.ts';
import { toast } from '../ui/toast.tsx';
import { dropDraft, requestOf, type Draft } from './draft.ts';
import { sendRest, type SentBatch } from './send-rest.ts';

type Item = ReturnType<typeof requestOf>['items'][number];

/**
 * Submits a draft: one ligand without a campaign as a job, others as batches of a campaign. What failed in the middle goes on
 * where it was: what was asked for before is not made again. A request is the same with other ligands and another name of its
 * campaign. With another receptor, box, setting or use of the cache it is another one, for which all are sent.
 */
export const useSubmit = (draft: Draft) => {
  const api = useApi();
  const orgId = useContextOfPages() ?? '';
  const navigate = useNavigate();
  const queries = useQueryClient();
  /** By what was asked for: the key of each job, the batches of each request, and each campaign, which can be renamed. */
  const keys = useRef(new Map<string, string>());
  const batches = useRef(new Map<string, Map<string, SentBatch<Item>>>());
  const campaigns = useRef(new Map<string, { readonly campaignId: string; readonly name: string }>());
  const [state, setState] = useState<{ readonly busy: boolean; readonly error: unknown }>({
    busy: false,
    error: null,
  });

  const keyOf = (asked: object): string => {
    const text = JSON.stringify(asked);
    const key = keys.current.get(text) ?? newIdempotencyKey();
    keys.current.set(text, key);
    return key;
  };

  const batchesOf = (asked: object): Map<string, SentBatch<Item>> => {
    const text = JSON.stringify(asked);
    const sent = batches.current.get(text) ?? new Map<string, SentBatch<Item>>();
    batches.current.set(text, sent);
    return sent;
  };

  const campaignOf = async (common: Pick<ReturnType<typeof requestOf>, 'engine' | 'inputs' | 'params'>) => {
    if (draft.campaignId !== null) return draft.campaignId;
    const name = draft.name.trim();
    const asked = JSON.stringify(common);
    const made = campaigns.current.get(asked);
    if (made === undefined) {
      const { campaign_id: campaignId } = await dataOf(api.POST('/campaigns', { body: { name, ...common } }));
      campaigns.current.set(asked, { campaignId, name });
      return campaignId;
    }
    const { campaignId } = made;
    if (made.name !== name) {
      const params = { path: { campaign_id: campaignId } };
      await api.PATCH('/campaigns/{campaign_id}', { params, body: { name } });
      campaigns.current.set(asked, { campaignId, name });
    }
    return campaignId;
  };

  const perform = async (): Promise<void> => {
    const { items, ...common } = requestOf(draft);
    const [single] = items;
    const query = { use_cache: draft.usesCache };
    if (items.length === 1 && single !== undefined && draft.campaignId === null && draft.name.trim() === '') {
      const body = { ...common, label: single.label, inputs: { ...common.inputs, ...single.inputs } };
      const header = { 'Idempotency-Key': keyOf({ query, body }) };
      const job = await dataOf(api.POST('/jobs', { params: { query, header }, body }));
      await navigate({ to: '/o/$orgId/jobs/$jobId', params: { orgId, jobId: job.job_id } });
      return;
    }
    const campaignId = await campaignOf(common);
    const asked = { ...common, campaign_id: campaignId };
    const { jobs, removed } = await sendRest({
      sent: batchesOf({ query, asked }),
      items,
      newKey: newIdempotencyKey,
      send: async (batch) => {
        const header = { 'Idempotency-Key': batch.key };
        await api.POST('/job-batches', {
          params: { query, header },
          body: { ...asked, items: [...batch.items] },
        });
      },
    });
    const stayed =
      removed === 0 ? '' : `, with ${number(removed)} of an earlier try that the form no longer has`;
    toast(`${number(jobs)} jobs are submitted${stayed}.`);
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
