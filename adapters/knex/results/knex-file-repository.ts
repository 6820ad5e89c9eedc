import type { WriteNote } from '../../../domain/audit/audit-log.ts';
import type { FileReference } from '../../../domain/files/file-reference.ts';
import type { FileRepository, NewFile } from '../../../domain/files/file-repository.ts';
import type { PdbqtInspection } from '../../../domain/files/pdbqt.ts';
import {
  FILE_PREFIX,
  type FileKey,
  type FileUpload,
  type StoredFile,
} from '../../../domain/files/stored-file.ts';
import type { PagePart, PartRequest } from '../../../domain/page.ts';
import { insertList, selectJsonTexts, selectList } from '../columns.ts';
import { sizedList, toPart } from '../sized-list.ts';
import { sql, statement, type SqlExecutor } from '../statement.ts';
import { auditedStatement } from './audited-statement.ts';

/** PostgreSQL's driver returns a bigint as text, and the inspection is read as text. */
type FileRow = Omit<StoredFile, 'sizeBytes' | 'inspection'> & {
  readonly sizeBytes: string;
  readonly inspection: string;
};

const COLUMNS = {
  sha256: 'sha256',
  sizeBytes: 'size_bytes',
  mediaType: 'media_type',
  name: 'name',
  createdBy: 'created_by',
  createdAt: 'created_at',
} as const satisfies Record<Exclude<keyof FileRow, 'inspection'>, string>;
const { createdAt: _createdAt, ...INSERTED_COLUMNS } = COLUMNS;
const JSON_COLUMNS = { inspection: 'inspection' } as const;
const FILE_FIELDS = [...selectList(COLUMNS), ...selectJsonTexts(JSON_COLUMNS)];

const stored = () => sql('files').where('state', 'stored');

const find = statement<{ sha256: string }, FileRow>('file_find', (p) =>
  stored().select(FILE_FIELDS).where('sha256', p('sha256')),
);

const renew = statement<{ sha256: string }, FileRow>('file_renew', (p) =>
  stored()
    .where('sha256', p('sha256'))
    .update({ uploaded_at: sql.raw('now()') })
    .returning(FILE_FIELDS),
);

const list = sizedList<FileRow>('file_list', {
  table: 'files',
  columns: COLUMNS,
  json: JSON_COLUMNS,
  order: ['created_at', 'sha256'],
  direction: 'desc',
});

const totalBytes = statement<{ file: string | null; uploadsOf: string | null }, { bytes: string }>(
  'file_total_bytes',
  (p) =>
    sql.raw(
      `with kept as (select sha256, size_bytes from files where state <> 'deleting')
       select ((select coalesce(sum(size_bytes), 0) from kept where sha256 is distinct from ?::text) + (
         select coalesce(sum(size_bytes), 0) from file_uploads as upload
         where expires_at > now() and sha256 is distinct from ?::text
           and not exists (select from kept where kept.sha256 = upload.sha256)))::bigint as bytes`,
      [p('file'), p('uploadsOf')],
    ),
);

const announce = statement<
  Omit<NewFile, 'inspection'> & { readonly inspection: string },
  FileRow & { readonly state: string }
>(
  'file_announce',
  (p) =>
    sql('files')
      .insert({ ...insertList({ ...INSERTED_COLUMNS, ...JSON_COLUMNS }, p), state: 'arriving' })
      .onConflict('sha256')
      .merge({
        state: sql.raw(`case when files.state = 'deleting' then 'arriving' else files.state end`),
        uploaded_at: sql.raw('now()'),
        // The same bytes may have come before under a name that did not tell their format.
        inspection: sql.raw(
          `case when files.inspection = 'null' then excluded.inspection else files.inspection end`,
        ),
      })
      .returning([...FILE_FIELDS, 'state']),
  { readOnly: false },
);

const settle = auditedStatement<{ sha256: string }, FileRow>(
  'file_settle',
  { type: 'file', idField: 'sha256' },
  (p) =>
    sql('files')
      .where({ sha256: p('sha256'), state: 'arriving' })
      .update({ state: 'stored' })
      .returning(FILE_FIELDS),
);

const hold = statement<{ hashes: readonly string[] }, FileRow>('file_hold', (p) =>
  stored()
    .select(FILE_FIELDS)
    .whereRaw('sha256 = any(?::text[])', [p('hashes')])
    .orderBy('sha256')
    .forShare(),
);

const refer = statement<{ references: string }>('file_refer', (p) =>
  sql.raw(
    `insert into job_files (job_id, role, name, sha256)
     select "jobId", role, name, sha256
     from jsonb_to_recordset(?::jsonb) as reference ("jobId" uuid, role text, name text, sha256 text)`,
    [p('references')],
  ),
);

const UPLOAD_COLUMNS = {
  uploadId: 'upload_id',
  sha256: 'sha256',
  sizeBytes: 'size_bytes',
  mediaType: 'media_type',
  name: 'name',
  createdBy: 'created_by',
  expiresAt: 'expires_at',
} as const satisfies Record<keyof FileUpload, string>;

const addUpload = statement<FileUpload>('file_upload_insert', (p) =>
  sql('file_uploads').insert(insertList(UPLOAD_COLUMNS, p)),
);

const findUpload = statement<{ uploadId: string }, Omit<FileUpload, 'sizeBytes'> & { sizeBytes: string }>(
  'file_upload_find',
  (p) =>
    sql('file_uploads')
      .select(selectList(UPLOAD_COLUMNS))
      .where('upload_id', p('uploadId'))
      .whereRaw('expires_at > now()'),
);

/** A campaign gives its files to jobs that it may get tomorrow, wherever in its inputs they stand. */
const UNREFERENCED = `not exists (select from job_files where job_files.sha256 = files.sha256)
  and not exists (select from artifacts where artifacts.sha256 = files.sha256)
  and not exists (
    select from campaigns, jsonb_path_query(campaigns.inputs, '$.**.file') as named
    where named #>> '{}' = '${FILE_PREFIX}' || files.sha256
  )`;

/** Locks rows that submissions may be about to refer to: none can from here on. */
const lockUnreferenced = statement<{ before: Date; limit: number }, { sha256: string }>(
  'file_lock_unreferenced',
  (p) =>
    sql.raw(
      `select sha256 from files where uploaded_at < ? and ${UNREFERENCED}
       order by uploaded_at limit ? for update skip locked`,
      [p('before'), p('limit')],
    ),
  { readOnly: false },
);

/** With a new snapshot, which shows what was referred to while the rows were locked. */
const markUnreferenced = statement<{ hashes: readonly string[] }, { sha256: string }>('file_mark', (p) =>
  sql.raw(
    `update files set state = 'deleting' where sha256 = any(?::text[]) and ${UNREFERENCED} returning sha256`,
    [p('hashes')],
  ),
);

const forgetUploads = statement<{ before: Date }>('file_upload_forget', (p) =>
  sql('file_uploads').where('expires_at', '<', p('before')).delete(),
);

const lockMarked = statement<{ sha256: string }, { sha256: string }>('file_lock_marked', (p) =>
  sql('files')
    .select('sha256')
    .where({ sha256: p('sha256'), state: 'deleting' })
    .forUpdate(),
);

const forget = statement<{ sha256: string }>('file_forget', (p) =>
  sql('files')
    .where({ sha256: p('sha256'), state: 'deleting' })
    .delete(),
);

const toFile = ({ sizeBytes, inspection, ...row }: FileRow): StoredFile => ({
  ...row,
  sizeBytes: Number(sizeBytes),
  // Nothing but `announce` writes this column.
  inspection: JSON.parse(inspection) as PdbqtInspection | null,
});

export class KnexFileRepository implements FileRepository {
  readonly #executor: SqlExecutor;

  constructor(executor: SqlExecutor) {
    this.#executor = executor;
  }

  async find(sha256: string): Promise<StoredFile | null> {
    const [row] = await this.#executor.query(find({ sha256 }));
    return row === undefined ? null : toFile(row);
  }

  async renew(sha256: string): Promise<StoredFile | null> {
    const [row] = await this.#executor.query(renew({ sha256 }));
    return row === undefined ? null : toFile(row);
  }

  async list({ after, ...part }: PartRequest<FileKey>): Promise<PagePart<StoredFile, FileKey>> {
    const key = after === null ? null : [after.createdAt.toISOString(), after.sha256];
    const rows = await this.#executor.query(list({ state: 'stored' }, { after: key, ...part }));
    return toPart(rows, toFile, ({ createdAt, sha256 }) => ({ createdAt, sha256 }));
  }

  async totalBytes(beside: { readonly sha256: string; readonly uploads: boolean } | null): Promise<number> {
    const file = beside?.sha256 ?? null;
    const uploadsOf = beside?.uploads === true ? file : null;
    const [row] = await this.#executor.query(totalBytes({ file, uploadsOf }));
    return Number(row?.bytes ?? 0);
  }

  async announce({ inspection, ...file }: NewFile): Promise<StoredFile | null> {
    const json = JSON.stringify(inspection);
    const [row] = await this.#executor.query(announce({ ...file, inspection: json }));
    if (row === undefined) throw new Error('an insert returned no row');
    const { state, ...announced } = row;
    return state === 'stored' ? toFile(announced) : null;
  }

  async settle(sha256: string, note: WriteNote): Promise<StoredFile> {
    const [row] = await this.#executor.query(settle({ sha256, note: JSON.stringify(note) }));
    // Another upload of the same bytes may have been faster.
    const file = row === undefined ? await this.find(sha256) : toFile(row);
    if (file === null) throw new Error('an announced file vanished');
    return file;
  }

  async hold(hashes: readonly string[]): Promise<ReadonlyMap<string, StoredFile>> {
    const rows = await this.#executor.query(hold({ hashes }));
    return new Map(rows.map((row) => [row.sha256, toFile(row)]));
  }

  async refer(references: readonly (FileReference & { readonly jobId: string })[]): Promise<void> {
    await this.#executor.query(refer({ references: JSON.stringify(references) }));
  }

  async addUpload(upload: FileUpload): Promise<void> {
    await this.#executor.query(addUpload(upload));
  }

  async findUpload(uploadId: string): Promise<FileUpload | null> {
    const [row] = await this.#executor.query(findUpload({ uploadId }));
    return row === undefined ? null : { ...row, sizeBytes: Number(row.sizeBytes) };
  }

  async markUnreferenced(before: Date, limit: number): Promise<readonly string[]> {
    await this.#executor.query(forgetUploads({ before }));
    const locked = await this.#executor.query(lockUnreferenced({ before, limit }));
    const hashes = locked.map(({ sha256 }) => sha256);
    if (hashes.length === 0) return [];
    return (await this.#executor.query(markUnreferenced({ hashes }))).map(({ sha256 }) => sha256);
  }

  async lockMarked(sha256: string): Promise<boolean> {
    return (await this.#executor.query(lockMarked({ sha256 }))).length > 0;
  }

  async forget(sha256: string): Promise<void> {
    await this.#executor.query(forget({ sha256 }));
  }
}
