import type { Account, AccountRepository } from '../../../domain/identity/account.ts';
import type { OrganizationRole } from '../../../domain/identity/role.ts';
import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';
import { sql, statement, type SqlExecutor } from '../statement.ts';
import { isUuid } from '../uuid.ts';

interface AccountRow {
  readonly user_id: string;
  readonly status: 'active' | 'disabled';
  readonly platform_admin: boolean;
  readonly memberships: readonly {
    readonly org_id: OrganizationId;
    readonly roles: readonly OrganizationRole[];
  }[];
  readonly invited: boolean;
  readonly is_fleet: boolean;
  readonly revoked_sessions: readonly string[];
}

const find = statement<{ userId: string; accessTtlSeconds: number }, AccountRow>('account_find', (p) =>
  sql('users')
    .select(
      'user_id',
      'status',
      'platform_admin',
      sql.raw(
        `coalesce((select jsonb_agg(jsonb_build_object('org_id', org_id, 'roles', roles) order by created_at)
         from memberships where memberships.user_id = users.user_id), '[]') as memberships`,
      ),
      sql.raw('exists (select from invitations where invitations.user_id = users.user_id) as invited'),
      sql.raw(
        `exists (select from service_accounts s where s.user_id = users.user_id and s.org_id is null) as is_fleet`,
      ),
      sql.raw(
        `array(select session_id::text from sessions where sessions.user_id = users.user_id
         and revoked_at > now() - make_interval(secs => ?)
         union all select key_id::text from service_account_keys k where k.user_id = users.user_id
         and revoked_at > now() - make_interval(secs => ?)) as revoked_sessions`,
        [p('accessTtlSeconds'), p('accessTtlSeconds')],
      ),
    )
    .where('user_id', p('userId')),
);

const findUserId = statement<{ issuer: string; subject: string }, { user_id: string }>(
  'account_find_user_id',
  (p) => sql('identities').select('user_id').where('provider', p('issuer')).where('subject', p('subject')),
);

/** Reads all that a token is held against in one statement. Decision 0016. */
export class KnexAccountRepository implements AccountRepository {
  readonly #executor: SqlExecutor;
  readonly #accessTtlSeconds: number;

  /** @param accessTtlSeconds how long an access token may outlive its session */
  constructor(executor: SqlExecutor, accessTtlSeconds: number) {
    this.#executor = executor;
    this.#accessTtlSeconds = accessTtlSeconds;
  }

  async find(userId: string): Promise<Account | null> {
    if (!isUuid(userId)) return null;
    const accessTtlSeconds = this.#accessTtlSeconds;
    const [row] = await this.#executor.query(find({ userId, accessTtlSeconds }));
    if (row === undefined) return null;
    return {
      userId: row.user_id,
      active: row.status === 'active',
      platformAdmin: row.platform_admin,
      memberships: row.memberships.map(({ org_id: organizationId, roles }) => ({ organizationId, roles })),
      invited: row.invited,
      isFleet: row.is_fleet,
      revokedSessions: new Set(row.revoked_sessions),
    };
  }

  async findUserId(issuer: string, subject: string): Promise<string | null> {
    const [row] = await this.#executor.query(findUserId({ issuer, subject }));
    return row?.user_id ?? null;
  }
}
