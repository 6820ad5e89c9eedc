import type { WriteNote } from '../../../domain/audit/audit-log.ts';
import type {
  Campaign,
  CampaignChange,
  CampaignCounts,
  CampaignKey,
  CampaignRepository,
  NewCampaign,
} from '../../../domain/campaigns/campaign.ts';
import { JOB_STATUSES, type JobStatus } from '../../../domain/jobs/docking-job.ts';
import { JsonText } from '../../../domain/json-text.ts';
import type { PagePart, PartRequest } from '../../../domain/page.ts';
import { insertList, selectJsonTexts, selectList } from '../columns.ts';
import { sizedList, toPart } from '../sized-list.ts';
import { sql, statement, type SqlExecutor } from '../statement.ts';
import { auditedStatement } from './audited-statement.ts';

interface CampaignRow extends Omit<Campaign, 'inputs' | 'params'> {
  /** JSON. */
  readonly inputs: string;
  /** JSON. */
  readonly params: string;
}

const CAMPAIGN = { type: 'campaign', idField: 'campaignId' } as const;
const JSON_COLUMNS = { inputs: 'inputs', params: 'params' } as const;
const INSERTED_COLUMNS = {
  campaignId: 'campaign_id',
  name: 'name',
  description: 'description',
  engine: 'engine',
  priority: 'priority',
  createdBy: 'created_by',
} as const;
const SMALL_COLUMNS = {
  ...INSERTED_COLUMNS,
  createdAt: 'created_at',
  updatedAt: 'updated_at',
  archivedAt: 'archived_at',
} as const satisfies Record<Exclude<keyof CampaignRow, keyof typeof JSON_COLUMNS>, string>;
const CAMPAIGN_FIELDS = [...selectList(SMALL_COLUMNS), ...selectJsonTexts(JSON_COLUMNS)];

type InsertValues = Omit<CampaignRow, 'createdAt' | 'updatedAt' | 'archivedAt'>;

const insert = auditedStatement<InsertValues, CampaignRow>('campaign_insert', CAMPAIGN, (p) =>
  sql('campaigns')
    .insert(insertList({ ...INSERTED_COLUMNS, ...JSON_COLUMNS }, p))
    .returning(CAMPAIGN_FIELDS),
);

const find = statement<{ campaignId: string }, CampaignRow>('campaign_find', (p) =>
  sql('campaigns').select(CAMPAIGN_FIELDS).where('campaign_id', p('campaignId')),
);

interface CountRow {
  readonly status: JobStatus | 'SUSPECT';
  readonly jobs: number;
}

const count = statement<{ campaignId: string }, CountRow>(
  'campaign_count',
  (p) =>
    sql.raw(
      `select status, count(*)::int as jobs from docking_jobs where campaign_id = ? group by status
       union all
       select 'SUSPECT', count(*)::int from job_scores where campaign_id = ? and suspect <> '{}'`,
      [p('campaignId'), p('campaignId')],
    ),
  { readOnly: true },
);

interface ChangeValues {
  readonly campaignId: string;
  readonly name: string | null;
  readonly archived: boolean | null;
}

/** A campaign that is archived again keeps the time at which it was. */
const change = auditedStatement<ChangeValues, CampaignRow>('campaign_change', CAMPAIGN, (p) =>
  sql('campaigns')
    .where('campaign_id', p('campaignId'))
    .update({
      name: sql.raw('coalesce(?::text, name)', [p('name')]),
      archived_at: sql.raw(
        'case ?::boolean when true then coalesce(archived_at, now()) when false then null else archived_at end',
        [p('archived')],
      ),
      updated_at: sql.raw('now()'),
    })
    .returning(CAMPAIGN_FIELDS),
);

const list = sizedList<CampaignRow>('campaign_list', {
  table: 'campaigns',
  columns: SMALL_COLUMNS,
  texts: ['name', 'description'],
  json: JSON_COLUMNS,
  ranges: { archived_after: ['archived_at', '>'] },
  order: ['created_at', 'campaign_id'],
  direction: 'desc',
});

const conditionsOf = (archived: boolean | null): Readonly<Record<string, string | null>> => {
  if (archived === null) return {};
  return archived ? { archived_after: '-infinity' } : { archived_at: null };
};

const toCampaign = ({ inputs, params, ...row }: CampaignRow): Campaign => ({
  inputs: new JsonText(inputs),
  params: new JsonText(params),
  ...row,
});

export class KnexCampaignRepository implements CampaignRepository {
  readonly #executor: SqlExecutor;

  constructor(executor: SqlExecutor) {
    this.#executor = executor;
  }

  async insert({ inputs, params, note, ...values }: NewCampaign): Promise<Campaign> {
    const [row] = await this.#executor.query(
      insert({
        inputs: JSON.stringify(inputs),
        params: JSON.stringify(params),
        note: JSON.stringify(note),
        ...values,
      }),
    );
    if (row === undefined) throw new Error('an insert returned no row');
    return toCampaign(row);
  }

  async find(campaignId: string): Promise<Campaign | null> {
    const [row] = await this.#executor.query(find({ campaignId }));
    return row === undefined ? null : toCampaign(row);
  }

  async count(campaignId: string): Promise<CampaignCounts> {
    const rows = await this.#executor.query(count({ campaignId }));
    const jobsIn = (status: CountRow['status']) => rows.find((row) => row.status === status)?.jobs ?? 0;
    const counts = JOB_STATUSES.map((status) => [status, jobsIn(status)]);
    // One entry for each status.
    const byStatus = Object.fromEntries(counts) as CampaignCounts['byStatus'];
    return { byStatus, suspect: jobsIn('SUSPECT') };
  }

  async list(
    { archived }: { readonly archived: boolean | null },
    { after, ...part }: PartRequest<CampaignKey>,
  ): Promise<PagePart<Campaign, CampaignKey>> {
    const key = after === null ? null : [after.createdAt.toISOString(), after.campaignId];
    const rows = await this.#executor.query(list(conditionsOf(archived), { after: key, ...part }));
    return toPart(rows, toCampaign, ({ createdAt, campaignId }) => ({ createdAt, campaignId }));
  }

  async change(
    campaignId: string,
    { name, archived }: CampaignChange,
    note: WriteNote,
  ): Promise<Campaign | null> {
    const [row] = await this.#executor.query(
      change({ campaignId, name: name ?? null, archived: archived ?? null, note: JSON.stringify(note) }),
    );
    return row === undefined ? null : toCampaign(row);
  }
}
