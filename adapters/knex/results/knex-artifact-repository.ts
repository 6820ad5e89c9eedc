import type { Artifact, ArtifactRepository, NewArtifact } from '../../../domain/jobs/artifact.ts';
import { auditedStatement } from './audited-statement.ts';
import { sql, statement, type SqlExecutor } from '../statement.ts';

interface ArtifactRow {
  readonly artifact_id: string;
  readonly job_id: string;
  readonly name: string;
  readonly purpose: string;
  readonly uri: string;
  readonly content_type: string | null;
  /** bigint: text to the driver. */
  readonly size_bytes: string | null;
  readonly checksum: string | null;
  readonly created_at: Date;
}

const COLUMNS = [
  'artifact_id',
  'job_id',
  'name',
  'purpose',
  'uri',
  'content_type',
  'size_bytes',
  'checksum',
  'created_at',
] as const satisfies readonly (keyof ArtifactRow)[];

const insert = auditedStatement<Omit<NewArtifact, 'note'>, ArtifactRow>(
  'artifact_insert',
  { type: 'artifact', idColumn: 'artifact_id' },
  (p) =>
    sql('artifacts')
      .insert({
        job_id: p('jobId'),
        name: p('name'),
        purpose: p('purpose'),
        uri: p('uri'),
        content_type: p('contentType'),
        size_bytes: p('sizeBytes'),
        checksum: p('checksum'),
      })
      .returning(COLUMNS),
);

const listByJob = statement<{ jobId: string }, ArtifactRow>('artifact_list', (p) =>
  sql('artifacts').select(COLUMNS).where('job_id', p('jobId')).orderBy('position'),
);

const toArtifact = (row: ArtifactRow): Artifact => ({
  artifactId: row.artifact_id,
  jobId: row.job_id,
  name: row.name,
  purpose: row.purpose,
  uri: row.uri,
  contentType: row.content_type,
  sizeBytes: row.size_bytes === null ? null : Number(row.size_bytes),
  checksum: row.checksum,
  createdAt: row.created_at,
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

  async listByJob(jobId: string): Promise<readonly Artifact[]> {
    const rows = await this.#executor.query(listByJob({ jobId }));
    return rows.map(toArtifact);
  }
}
