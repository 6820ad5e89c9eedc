import type { InputSignature, InputSignatureRepository } from '../../../domain/jobs/input-signature.ts';
import { sql, statement, type SqlExecutor } from '../statement.ts';

interface InputSignatureRow {
  readonly signature: string;
  readonly canonical_job_id: string;
  readonly confidence_score: number | null;
  /** bigint: text to the driver. */
  readonly hit_count: string;
  readonly created_at: Date;
  readonly last_used_at: Date;
  readonly expires_at: Date | null;
}

const COLUMNS = [
  'signature',
  'canonical_job_id',
  'confidence_score',
  'hit_count',
  'created_at',
  'last_used_at',
  'expires_at',
] as const satisfies readonly (keyof InputSignatureRow)[];

const NOT_EXPIRED = '(expires_at is null or expires_at > now())';

const find = statement<{ signature: string }, InputSignatureRow>('input_signature_find', (p) =>
  sql('input_signatures').select(COLUMNS).where('signature', p('signature')).whereRaw(NOT_EXPIRED),
);

const use = statement<{ signature: string }, InputSignatureRow>('input_signature_use', (p) =>
  sql('input_signatures')
    .where('signature', p('signature'))
    .whereRaw(NOT_EXPIRED)
    .update({ hit_count: sql.raw('hit_count + 1'), last_used_at: sql.raw('now()') })
    .returning(COLUMNS),
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
  signature: row.signature,
  canonicalJobId: row.canonical_job_id,
  confidenceScore: row.confidence_score,
  hitCount: Number(row.hit_count),
  createdAt: row.created_at,
  lastUsedAt: row.last_used_at,
  expiresAt: row.expires_at,
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
