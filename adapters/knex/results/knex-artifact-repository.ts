import type { Artifact, ArtifactRepository, NewArtifact } from '../../../domain/jobs/artifact.ts';
import { toPage, type Page, type PageRequest } from '../../../domain/page.ts';
import { insertList, selectList, selectText } from '../columns.ts';
import { dynamicQuery, sql, statement, type SqlExecutor } from '../statement.ts';
import { auditedStatement, insertNotes } from './audited-statement.ts';
import { filledText } from './filled-text.ts';
import { textArray } from './text-array.ts';

/** PostgreSQL's driver returns a bigint as text. */
type ArtifactRow = Omit<Artifact, 'sizeBytes'> & { readonly sizeBytes: string | null };

const INSERTED_COLUMNS = {
  jobId: 'job_id',
  name: 'name',
  purpose: 'purpose',
  uri: 'uri',
  sha256: 'sha256',
  contentType: 'content_type',
  sizeBytes: 'size_bytes',
  checksum: 'checksum',
} as const satisfies Record<keyof Omit<NewArtifact, 'note' | 'leaseId'>, string>;

const FIELDS = {
  artifactId: 'artifact_id',
  ...INSERTED_COLUMNS,
  createdAt: 'created_at',
} satisfies Record<keyof ArtifactRow, string>;
const ARTIFACT_FIELDS = selectList(FIELDS);

const insert = auditedStatement<Omit<NewArtifact, 'note'>, ArtifactRow>(
  'artifact_insert',
  { type: 'artifact', idField: 'artifactId' },
  (p) =>
    sql('artifacts')
      .insert(insertList({ ...INSERTED_COLUMNS, leaseId: 'lease_id' }, p))
      .returning(ARTIFACT_FIELDS),
);

const find = statement<{ jobId: string; artifactId: string }, ArtifactRow>('artifact_find', (p) =>
  sql('artifacts')
    .select(ARTIFACT_FIELDS)
    .where({ job_id: p('jobId'), artifact_id: p('artifactId') }),
);

const insertAll = statement<{ artifacts: string }>(
  'artifact_insert_all',
  (p) =>
    filledText(
      `with sent as (
         select * from rows from (jsonb_to_recordset({artifacts}::jsonb) as (
           "jobId" uuid, "leaseId" uuid, name text, purpose text, uri text, sha256 text, "contentType" text,
           "sizeBytes" bigint, checksum text, note jsonb
         )) with ordinality
       ), written as (
         insert into artifacts (job_id, lease_id, name, purpose, uri, sha256, content_type, size_bytes, checksum)
         select "jobId", "leaseId", name, purpose, uri, sha256, "contentType", "sizeBytes", checksum
         from sent order by ordinality
         returning artifact_id, job_id, name
       )
       ${insertNotes('artifact', 'artifact_id')}
       from written join sent on sent."jobId" = written.job_id and sent.name = written.name order by ordinality`,
      p,
    ),
  { isAudited: true },
);

const findByNames = statement<{ keys: string }, ArtifactRow>('artifact_find_by_names', (p) =>
  filledText(
    `select found.* from jsonb_to_recordset({keys}::jsonb) as wanted ("jobId" uuid, name text) cross join lateral (
       select ${selectText(FIELDS)} from artifacts
       where artifacts.job_id = wanted."jobId" and artifacts.name = wanted.name order by position limit 1
     ) as found`,
    p,
  ),
);

const filesOf = statement<{ artifactIds: string }, { artifactId: string; sha256: string }>(
  'artifact_files',
  (p) =>
    sql.raw(
      `select artifact_id as "artifactId", sha256 from artifacts
     where artifact_id = any(?::uuid[]) and sha256 is not null`,
      [p('artifactIds')],
    ),
);

const toArtifact = (row: ArtifactRow): Artifact => ({
  ...row,
  sizeBytes: row.sizeBytes === null ? null : Number(row.sizeBytes),
});

export class KnexArtifactRepository implements ArtifactRepository {
  readonly #executor: SqlExecutor;

  constructor(executor: SqlExecutor) {
    this.#executor = executor;
  }

  async insert(artifact: NewArtifact): Promise<Artifact> {
    const [row] = await this.#executor.query(insert({ ...artifact, note: JSON.stringify(artifact.note) }));
    if (row === undefined) throw new Error('an insert returned no row');
    return toArtifact(row);
  }

  async find(jobId: string, artifactId: string): Promise<Artifact | null> {
    const [row] = await this.#executor.query(find({ jobId, artifactId }));
    return row === undefined ? null : toArtifact(row);
  }

  async insertAll(artifacts: readonly NewArtifact[]): Promise<void> {
    await this.#executor.query(insertAll({ artifacts: JSON.stringify(artifacts) }));
  }

  async findByNames(keys: readonly Pick<Artifact, 'jobId' | 'name'>[]): Promise<readonly Artifact[]> {
    const wanted = keys.map(({ jobId, name }) => ({ jobId, name }));
    const rows = await this.#executor.query(findByNames({ keys: JSON.stringify(wanted) }));
    return rows.map(toArtifact);
  }

  async filesOf(artifactIds: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const rows = await this.#executor.query(filesOf({ artifactIds: textArray(artifactIds) }));
    return new Map(rows.map(({ artifactId, sha256 }) => [artifactId, sha256]));
  }

  async listByJob(jobId: string, { limit, after }: PageRequest<string>): Promise<Page<Artifact, string>> {
    const query = sql('artifacts')
      .select([...ARTIFACT_FIELDS, 'position'])
      .where('job_id', jobId)
      .orderBy('position')
      .limit(limit + 1);
    if (after !== null) query.where('position', '>', after);
    const rows = await this.#executor.query(dynamicQuery<ArtifactRow & { readonly position: string }>(query));
    const { items, next } = toPage(rows, limit, ({ position }) => position);
    return { items: items.map(({ position: _position, ...row }) => toArtifact(row)), next };
  }
}
