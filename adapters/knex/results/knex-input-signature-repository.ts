import type { InputSignature, InputSignatureRepository } from '../../../domain/jobs/input-signature.ts';
import { selectList } from '../columns.ts';
import { sql, statement, type SqlExecutor } from '../statement.ts';

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
} satisfies Record<keyof InputSignatureRow, string>);

const NOT_EXPIRED = '(expires_at is null or expires_at > now())';

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

const canonize = statement<{ jobId: string; inputSignature: string }>('input_signature_canonize', (p) =>
  sql.raw(
    `insert into input_signatures (signature, canonical_job_id, confidence_score)
     select ?, job_id, min(confidence_score) from task_results where job_id = ? group by job_id
     on conflict (signature) do update set
       canonical_job_id = excluded.canonical_job_id,
       confidence_score = excluded.confidence_score,
       expires_at = excluded.expires_at`,
    [p('inputSignature'), p('jobId')],
  ),
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

  async canonize({ jobId, inputSignature }: { jobId: string; inputSignature: string }): Promise<void> {
    await this.#executor.query(canonize({ jobId, inputSignature }));
  }
}
