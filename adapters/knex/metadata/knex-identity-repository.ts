import type { ExternalIdentity, IdentityRepository } from '../../../domain/identity/identity-repository.ts';
import { sql, statement, type SqlExecutor } from '../statement.ts';

interface IdentityRow {
  readonly identity_id: string;
  /** The issuer; `password` for a password of this service. */
  readonly provider: string;
  readonly subject: string;
  readonly created_at: Date;
}

const COLUMNS = ['identity_id', 'provider', 'subject', 'created_at'] as const;

const list = statement<{ userId: string }, IdentityRow>('identity_list', (p) =>
  sql('identities')
    .select(COLUMNS)
    .where('user_id', p('userId'))
    .whereNot('provider', 'password')
    .orderBy(['created_at', 'identity_id']),
);

const link = statement<{ userId: string; issuer: string; subject: string }, IdentityRow>(
  'identity_link',
  (p) =>
    sql('identities')
      .insert({ user_id: p('userId'), provider: p('issuer'), subject: p('subject') })
      .onConflict(['provider', 'subject'])
      .ignore()
      .returning(COLUMNS),
);

const unlink = statement<{ userId: string; identityId: string }, IdentityRow>('identity_unlink', (p) =>
  sql('identities')
    .where('user_id', p('userId'))
    .where('identity_id', p('identityId'))
    .whereNot('provider', 'password')
    .delete()
    .returning(COLUMNS),
);

const toIdentity = (row: IdentityRow): ExternalIdentity => ({
  identityId: row.identity_id,
  issuer: row.provider,
  subject: row.subject,
  createdAt: row.created_at,
});

export class KnexIdentityRepository implements IdentityRepository {
  readonly #executor: SqlExecutor;

  constructor(executor: SqlExecutor) {
    this.#executor = executor;
  }

  async list(userId: string): Promise<readonly ExternalIdentity[]> {
    return (await this.#executor.query(list({ userId }))).map(toIdentity);
  }

  async link(
    userId: string,
    identity: { issuer: string; subject: string },
  ): Promise<ExternalIdentity | null> {
    const [row] = await this.#executor.query(link({ userId, ...identity }));
    return row === undefined ? null : toIdentity(row);
  }

  async unlink(userId: string, identityId: string): Promise<ExternalIdentity | null> {
    const [row] = await this.#executor.query(unlink({ userId, identityId }));
    return row === undefined ? null : toIdentity(row);
  }
}
