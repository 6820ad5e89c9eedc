import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { useCallback, useState, type ReactNode } from 'react';
import { dataOf, useApi, useContextOfPages, type Schemas } from '../api/client.ts';
import { number } from '../format.ts';
import { useFallbackRefresh } from '../live.ts';
import { PosePanel } from '../pose/pose-panel.tsx';
import { numberIn, oneOf, textIn, useSearchOf, type RawSearch } from '../shell/search.ts';
import { Badge } from '../ui/badge.tsx';
import { Choice, SearchBox } from '../ui/filters.tsx';
import { Loaded } from '../ui/loading.tsx';
import { Page, Section } from '../ui/page.tsx';
import { SaveButton } from '../ui/save-button.tsx';
import { AffinityHistogram } from './affinity-histogram.tsx';
import { ArchiveDialog, CancelDialog } from './campaign-dialogs.tsx';
import './campaigns.css';
import type { Range } from './histogram-geometry.ts';
import { Ranking, useRanking, type RankingFilter } from './ranking.tsx';

const SORTS = ['affinity', 'label', 'created_at'] as const;
const ORDERS = ['asc', 'desc'] as const;

const readSearch = (raw: RawSearch) => ({
  sort: oneOf(raw, 'sort', SORTS),
  order: oneOf(raw, 'order', ORDERS),
  min: numberIn(raw, 'min'),
  max: numberIn(raw, 'max'),
  label: textIn(raw, 'label'),
  doubted: oneOf(raw, 'doubted', ['shown'] as const),
  job: textIn(raw, 'job'),
  pose: textIn(raw, 'pose'),
  show: textIn(raw, 'show'),
});
type Search = ReturnType<typeof readSearch>;

const filterOf = ({ sort, order, min, max, label, doubted }: Search): RankingFilter => ({
  ...(sort !== undefined && { sort }),
  ...(order !== undefined && { order }),
  ...(min !== undefined && { min_affinity: min }),
  ...(max !== undefined && { max_affinity: max }),
  ...(label !== undefined && { label_prefix: label }),
  ...(doubted !== undefined && { include_suspect: true as const }),
});

export const CampaignPage = (): ReactNode => {
  const api = useApi();
  const context = useContextOfPages() ?? '';
  const params: { readonly campaignId?: string } = useParams({ strict: false });
  const campaignId = params.campaignId ?? '';
  const query = useQuery({
    queryKey: ['o', context, 'campaign', campaignId],
    queryFn: () =>
      dataOf(api.GET('/campaigns/{campaign_id}', { params: { path: { campaign_id: campaignId } } })),
    refetchInterval: useFallbackRefresh(),
  });
  return (
    <Loaded query={query}>{(campaign) => <LoadedCampaign key={campaignId} campaign={campaign} />}</Loaded>
  );
};

type Status = Schemas['CampaignStatus'];

const LoadedCampaign = ({ campaign }: { readonly campaign: Status }): ReactNode => {
  const orgId = useContextOfPages() ?? '';
  const [dialog, setDialog] = useState<'archive' | 'cancel' | null>(null);
  const { campaign_id: campaignId, name, description, counts, archived_at: archivedAt } = campaign;
  const open = counts.PENDING + counts.RUNNING;
  return (
    <Page
      title={name}
      lead={description ?? undefined}
      actions={
        <>
          {open > 0 && <button onClick={() => setDialog('cancel')}>Cancel what is open…</button>}
          <button onClick={() => setDialog('archive')}>
            {archivedAt === null ? 'Archive…' : 'Take back…'}
          </button>
          {archivedAt === null && (
            <Link
              className="button primary"
              to="/o/$orgId/submit"
              params={{ orgId }}
              search={{ campaign: campaignId }}
            >
              Dock more ligands
            </Link>
          )}
        </>
      }
    >
      {archivedAt !== null && <p className="notice">This campaign is archived: it takes no new jobs.</p>}
      <Counts campaign={campaign} />
      <Results campaign={campaign} />
      {dialog === 'archive' && <ArchiveDialog campaign={campaign} onClose={() => setDialog(null)} />}
      {dialog === 'cancel' && <CancelDialog campaign={campaign} onClose={() => setDialog(null)} />}
    </Page>
  );
};

const STATES = ['COMPLETED', 'RUNNING', 'PENDING', 'FAILED', 'CANCELED'] as const;

/** How many jobs are where, each with the list of them. */
const Counts = ({
  campaign: { campaign_id: campaign, counts },
}: {
  readonly campaign: Status;
}): ReactNode => {
  const orgId = useContextOfPages() ?? '';
  const total = STATES.reduce((sum, state) => sum + counts[state], 0);
  return (
    <div className="stack">
      <div className="progress-line" aria-hidden="true">
        {STATES.filter((state) => state !== 'PENDING').map((state) => (
          <span
            key={state}
            className={state}
            style={{ width: `${(100 * counts[state]) / Math.max(1, total)}%` }}
          />
        ))}
      </div>
      <div className="row">
        <strong>
          {number(total)} {total === 1 ? 'job' : 'jobs'}
        </strong>
        {STATES.filter((state) => counts[state] > 0).map((status) => (
          <Link key={status} to="/o/$orgId/jobs" params={{ orgId }} search={{ campaign, status }}>
            <Badge state={status}>
              {number(counts[status])} {status.toLowerCase()}
            </Badge>
          </Link>
        ))}
      </div>
    </div>
  );
};

const Results = ({ campaign }: { readonly campaign: Status }): ReactNode => {
  const { campaign_id: campaignId, suspect } = campaign;
  const [search, change] = useSearchOf(readSearch);
  const filter = filterOf(search);
  const ranking = useRanking(campaignId, filter);
  const ask = useCallback((label: string | undefined) => change({ label }), [change]);
  const chosen = search.job;
  const files = new URLSearchParams(
    Object.entries(filter).map(([key, value]) => [key, String(value)]),
  ).toString();
  const { sort: _sort, order: _order, ...selection } = filter;
  const selected = `?${new URLSearchParams(Object.entries(selection).map(([key, value]) => [key, String(value)])).toString()}`;
  const download = (format: string): string =>
    `/campaigns/${campaignId}/results.${format}${files === '' ? '' : `?${files}`}`;
  return (
    <Section
      title="Ranking"
      aside={
        <div className="row">
          <SaveButton path={download('csv')} name={`${campaign.name}.csv`}>
            Table (CSV)
          </SaveButton>
          <SaveButton
            path={`${download('ndjson')}${files === '' ? '?' : '&'}poses=20`}
            name={`${campaign.name}.ndjson`}
          >
            With poses (NDJSON)
          </SaveButton>
          <SaveButton
            path={`/campaigns/${campaignId}/poses.pdbqt${selected}`}
            name={`${campaign.name}.pdbqt`}
          >
            Best 100 poses (PDBQT)
          </SaveButton>
        </div>
      }
    >
      <Spread campaignId={campaignId} search={search} onChange={change} />
      <div className="filters">
        <SearchBox label="Label begins with" value={search.label} onChange={ask} />
        <Choice
          label="Order"
          any="affinity"
          value={search.sort}
          options={SORTS.slice(1)}
          onChange={(sort) => change({ sort })}
        />
        {(suspect > 0 || search.doubted !== undefined) && (
          <label className="check">
            <input
              type="checkbox"
              checked={search.doubted !== undefined}
              onChange={({ target }) => change({ doubted: target.checked ? 'shown' : undefined })}
            />
            Show doubted scores ({number(suspect)})
          </label>
        )}
      </div>
      <div className={chosen === undefined ? 'beside' : 'beside open'}>
        <Ranking
          query={ranking}
          chosen={chosen}
          onChoose={(job) => change({ job, pose: undefined })}
          empty={<NothingRanked campaign={campaign} filter={filter} />}
        />
        {chosen !== undefined && (
          <ChosenJob
            jobId={chosen}
            search={search}
            onChange={change}
            onClose={() => change({ job: undefined })}
          />
        )}
      </div>
    </Section>
  );
};

interface ChosenProps {
  readonly jobId: string;
  readonly search: Search;
  readonly onChange: (change: Partial<Pick<Search, 'pose' | 'show'>>) => void;
  readonly onClose: () => void;
}

const ChosenJob = ({ jobId, search, onChange, onClose }: ChosenProps): ReactNode => (
  <section className="panel stack" aria-label="The chosen ligand">
    <div className="row spread">
      <Link to="/o/$orgId/jobs/$jobId" params={{ orgId: useContextOfPages() ?? '', jobId }}>
        Everything about this job
      </Link>
      <button className="plain" aria-label="Close the poses" onClick={onClose}>
        ×
      </button>
    </div>
    <PosePanel jobId={jobId} search={search} onChange={onChange} />
  </section>
);

const NothingRanked = ({
  campaign: { counts },
  filter,
}: {
  readonly campaign: Status;
  readonly filter: RankingFilter;
}): ReactNode => {
  const { min_affinity: min, max_affinity: max, label_prefix: prefix } = filter;
  if (min !== undefined || max !== undefined || prefix !== undefined)
    return <p>No job is like that. Change the filters.</p>;
  if (counts.PENDING + counts.RUNNING > 0)
    return <p>Nothing is docked yet. Ligands appear here by themselves, one by one, as they are done.</p>;
  return <p>No job of this campaign has completed with poses.</p>;
};

interface SpreadProps {
  readonly campaignId: string;
  readonly search: Search;
  readonly onChange: (range: Range) => void;
}

const Spread = ({ campaignId, search, onChange }: SpreadProps): ReactNode => {
  const api = useApi();
  // The limits are drawn in it: all bars stay, and those outside are grey.
  const { min_affinity: _min, max_affinity: _max, sort: _sort, order: _order, ...filter } = filterOf(search);
  const query = useQuery({
    queryKey: ['o', useContextOfPages(), 'campaign', campaignId, 'histogram', filter],
    queryFn: () =>
      dataOf(
        api.GET('/campaigns/{campaign_id}/histogram', {
          params: { path: { campaign_id: campaignId }, query: { ...filter, bins: 60 } },
        }),
      ),
    placeholderData: keepPreviousData,
    refetchInterval: useFallbackRefresh(),
  });
  return (
    <Loaded query={query}>
      {(histogram) => (
        <AffinityHistogram histogram={histogram} min={search.min} max={search.max} onChange={onChange} />
      )}
    </Loaded>
  );
};
