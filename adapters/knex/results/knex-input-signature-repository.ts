import type { WriteNote } from '../../../domain/audit/audit-log.ts';
import type { InputSignature, InputSignatureRepository } from '../../../domain/jobs/input-signature.ts';
import { selectList } from '../columns.ts';
import { sql, statement, type SqlExecutor, type SqlQuery } from '../statement.ts';
import { auditedStatement } from './audited-statement.ts';
import { settleScores } from './settle-scores.ts';
import { textArray } from './text-array.ts';

/** PostgreSQL's driver returns a bigint as text. */
type InputSignatureRow = Omit<InputSignature, 'hitCount'> & { readonly hitCount: string };

const SIGNATURE_FIELDS = selectList({
  signature: 'signature',
  canonicalJobId: 'canonical_job_id',
  confidenceScore: 'confidence_score',
  hitCount: 'hit_count',
  createdAt: 'created_at',
  lastUsedAt: 'last_used_at',
  expiresAt: 'expires_at',
  pinned: 'pinned',
} satisfies Record<keyof InputSignatureRow, string>);

const NOT_EXPIRED = '(pinned or expires_at is null or expires_at > now())';

const find = statement<{ signature: string }, InputSignatureRow>('input_signature_find', (p) =>
  sql('input_signatures').select(SIGNATURE_FIELDS).where('signature', p('signature')).whereRaw(NOT_EXPIRED),
);

const use = statement<{ signature: string }, InputSignatureRow>('input_signature_use', (p) =>
  sql('input_signatures')
    .where('signature', p('signature'))
    .whereRaw(NOT_EXPIRED)
    .update({ hit_count: sql.raw('hit_count + 1'), last_used_at: sql.raw('now()') })
    .returning(SIGNATURE_FIELDS),
);

const useAll = statement<{ uses: string }, InputSignatureRow>('input_signature_use_all', (p) =>
  sql.raw(
    // Whoever uses several entries locks them in the order of their signatures: two batches would wait for each other else.
    `with used as (
       select entry.signature, wanted.uses
       from jsonb_to_recordset(?::jsonb) as wanted (signature text, uses bigint)
       join input_signatures as entry using (signature)
       where ${NOT_EXPIRED}
       order by entry.signature
       for update of entry
     )
     update input_signatures as entry set hit_count = hit_count + used.uses, last_used_at = now()
     from used where entry.signature = used.signature
     returning ${SIGNATURE_FIELDS.map((field) => `entry.${field.replace(' as ', ' as "')}"`).join(', ')}`,
    [p('uses')],
  ),
);

const SIGNATURE = { type: 'input_signature', idField: 'signature' } as const;

const setPinned = auditedStatement<{ signature: string; pinned: boolean }, InputSignatureRow>(
  'input_signature_set_pinned',
  SIGNATURE,
  (p) =>
    sql('input_signatures')
      .where('signature', p('signature'))
      .whereRaw(NOT_EXPIRED)
      .update({ pinned: p('pinned') })
      .returning(SIGNATURE_FIELDS),
);

const invalidate = auditedStatement<{ signature: string }, InputSignatureRow>(
  'input_signature_invalidate',
  SIGNATURE,
  (p) =>
    sql('input_signatures')
      .where('signature', p('signature'))
      .whereRaw(NOT_EXPIRED)
      .delete()
      .returning([...SIGNATURE_FIELDS]),
);

const toInputSignature = (row: InputSignatureRow): InputSignature => ({
  ...row,
  hitCount: Number(row.hitCount),
});

export class KnexInputSignatureRepository implements InputSignatureRepository {
  readonly #executor: SqlExecutor;

  constructor(executor: SqlExecutor) {
    this.#executor = executor;
  }

  async find(signature: string): Promise<InputSignature | null> {
    const [row] = await this.#executor.query(find({ signature }));
    return row === undefined ? null : toInputSignature(row);
  }

  async use(signature: string): Promise<InputSignature | null> {
    const [row] = await this.#executor.query(use({ signature }));
    return row === undefined ? null : toInputSignature(row);
  }

  async canonize(
    jobs: readonly { readonly jobId: string; readonly inputSignature: string }[],
  ): Promise<void> {
    const jobIds = textArray(jobs.map(({ jobId }) => jobId));
    const signatures = textArray(jobs.map(({ inputSignature }) => inputSignature));
    await this.#executor.query(settleScores({ jobIds, signatures }));
  }

  async useAll(uses: ReadonlyMap<string, number>): Promise<ReadonlyMap<string, InputSignature>> {
    const wanted = Array.from(uses, ([signature, count]) => ({ signature, uses: count }));
    const rows = await this.#executor.query(useAll({ uses: JSON.stringify(wanted) }));
    return new Map(rows.map((row) => [row.signature, toInputSignature(row)]));
  }

  pin(signature: string, note: WriteNote): Promise<InputSignature | null> {
    return this.#change(setPinned({ signature, pinned: true, note: JSON.stringify(note) }));
  }

  unpin(signature: string, note: WriteNote): Promise<InputSignature | null> {
    return this.#change(setPinned({ signature, pinned: false, note: JSON.stringify(note) }));
  }

  invalidate(signature: string, note: WriteNote): Promise<InputSignature | null> {
    return this.#change(invalidate({ signature, note: JSON.stringify(note) }));
  }

  async #change(query: SqlQuery<InputSignatureRow>): Promise<InputSignature | null> {
    const [row] = await this.#executor.query(query);
    return row === undefined ? null : toInputSignature(row);
  }
}
