import type { Artifact, ArtifactRepository, NewArtifact } from '../../../domain/jobs/artifact.ts';
import { toPage, type Page, type PageRequest } from '../../../domain/page.ts';
import { insertList, selectList } from '../columns.ts';
import { dynamicQuery, sql, statement, type SqlExecutor } from '../statement.ts';
import { auditedStatement } from './audited-statement.ts';
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

const ARTIFACT_FIELDS = selectList({
  artifactId: 'artifact_id',
  ...INSERTED_COLUMNS,
  createdAt: 'created_at',
} satisfies Record<keyof ArtifactRow, string>);

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

const findByName = statement<{ jobId: string; name: string }, ArtifactRow>('artifact_find_by_name', (p) =>
  sql('artifacts')
    .select(ARTIFACT_FIELDS)
    .where({ job_id: p('jobId'), name: p('name') })
    .orderBy('position')
    .limit(1),
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

  async findByName(jobId: string, name: string): Promise<Artifact | null> {
    const [row] = await this.#executor.query(findByName({ jobId, name }));
    return row === undefined ? null : toArtifact(row);
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
