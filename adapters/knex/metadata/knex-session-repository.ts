import type {
  BrowserSession,
  LiveSession,
  OpenSession,
  RefreshTokenUse,
  Session,
  SessionRepository,
} from '../../../domain/identity/session-repository.ts';
import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';
import { sql, statement, type SqlExecutor } from '../statement.ts';

interface SessionRow {
  readonly session_id: string;
  readonly user_id: string;
  readonly org_id: OrganizationId | null;
}

type OpenRow = SessionRow & { readonly expires_at: Date };

// An access token lives for 30 days at most, so nobody can present one of a session that ended before that.
const open = statement<
  { sessionId: string; userId: string; organizationId: string | null; lifetimeSeconds: number },
  Pick<OpenRow, 'expires_at'>
>('session_open', (p) =>
  sql.raw(
    `with forgotten as (
       delete from sessions where user_id = ? and expires_at < now() - interval '31 days'
     )
     insert into sessions (session_id, user_id, org_id, expires_at)
     values (?, ?, ?, now() + make_interval(secs => ?)) returning expires_at`,
    [p('userId'), p('sessionId'), p('userId'), p('organizationId'), p('lifetimeSeconds')],
  ),
);

const addToken = statement<{ sessionId: string; tokenHash: Uint8Array }>('session_add_token', (p) =>
  sql('refresh_tokens').insert({ session_id: p('sessionId'), token_hash: p('tokenHash') }),
);

/** Locks the session: two uses of its tokens, or a use and the end of the session, follow one another. */
const findByToken = statement<{ tokenHash: Uint8Array }, OpenRow>('session_find_by_token', (p) =>
  sql('refresh_tokens')
    .join('sessions', 'sessions.session_id', 'refresh_tokens.session_id')
    .select('sessions.session_id', 'sessions.user_id', 'sessions.org_id', 'sessions.expires_at')
    .where('refresh_tokens.token_hash', p('tokenHash'))
    .whereNull('sessions.revoked_at')
    .whereRaw('sessions.expires_at > now()')
    .forUpdate('sessions'),
);

const useToken = statement<{ tokenHash: Uint8Array }, { session_id: string }>('session_use_token', (p) =>
  sql('refresh_tokens')
    .where('token_hash', p('tokenHash'))
    .whereNull('used_at')
    .update({ used_at: sql.raw('now()') })
    .returning('session_id'),
);

const addBrowser = statement<{ sessionId: string; secretHash: Uint8Array }>('session_add_browser', (p) =>
  sql('browser_sessions').insert({ session_id: p('sessionId'), secret_hash: p('secretHash') }),
);

interface BrowserRow extends Pick<SessionRow, 'session_id' | 'user_id'> {
  readonly idle_seconds: number;
  readonly expires_at: Date;
}

const findBrowser = statement<{ secretHash: Uint8Array }, BrowserRow>('session_find_browser', (p) =>
  sql({ b: 'browser_sessions' })
    .join({ s: 'sessions' }, 's.session_id', 'b.session_id')
    .select(
      's.session_id',
      's.user_id',
      's.expires_at',
      sql.raw('greatest(0, extract(epoch from now() - b.used_at))::float8 as idle_seconds'),
    )
    .where('b.secret_hash', p('secretHash'))
    .whereNull('s.revoked_at')
    .whereRaw('s.expires_at > now()'),
);

const noteUse = statement<{ sessionId: string }>('session_note_use', (p) =>
  sql('browser_sessions')
    .where('session_id', p('sessionId'))
    .update({ used_at: sql.raw('now()') }),
);

interface LiveRow extends SessionRow {
  readonly is_browser: boolean;
  readonly created_at: Date;
  readonly used_at: Date | null;
  readonly expires_at: Date;
}

const MOST_LISTED = 100;

const listLive = statement<{ userId: string }, LiveRow>('session_list_live', (p) =>
  sql({ s: 'sessions' })
    .leftJoin({ b: 'browser_sessions' }, 'b.session_id', 's.session_id')
    .select('s.session_id', 's.user_id', 's.org_id', 's.created_at', 's.expires_at', 'b.used_at')
    .select(sql.raw('b.session_id is not null as is_browser'))
    .where('s.user_id', p('userId'))
    .whereNull('s.revoked_at')
    .whereRaw('s.expires_at > now()')
    .orderBy([
      { column: 's.created_at', order: 'desc' },
      { column: 's.session_id', order: 'desc' },
    ])
    .limit(MOST_LISTED),
);

const revoke = statement<{ sessionId: string }>('session_revoke', (p) =>
  sql('sessions')
    .where('session_id', p('sessionId'))
    .whereNull('revoked_at')
    .update({ revoked_at: sql.raw('now()') }),
);

const revokeOf = statement<{ userId: string; sessionId: string }, { session_id: string }>(
  'session_revoke_of',
  (p) =>
    sql('sessions')
      .where('session_id', p('sessionId'))
      .where('user_id', p('userId'))
      .whereNull('revoked_at')
      .whereRaw('expires_at > now()')
      .update({ revoked_at: sql.raw('now()') })
      .returning('session_id'),
);

// Those that are over by their age end as well: to a process whose clock is late their access tokens may be good yet.
const revokeAll = statement<{ userId: string; organizationId: string | null }, { is_live: boolean }>(
  'session_revoke_all',
  (p) =>
    sql('sessions')
      .where('user_id', p('userId'))
      .whereRaw('(?::text is null or org_id = ?)', [p('organizationId'), p('organizationId')])
      .whereNull('revoked_at')
      .update({ revoked_at: sql.raw('now()') })
      .returning(sql.raw('expires_at > now() as is_live')),
);

const toSession = (row: OpenRow): OpenSession => ({
  sessionId: row.session_id,
  userId: row.user_id,
  organizationId: row.org_id,
  expiresAt: row.expires_at,
});

/** Sessions, and the hashes of their refresh tokens and of browsers' secrets. Decisions 0016 and 0052. */
export class KnexSessionRepository implements SessionRepository {
  readonly #executor: SqlExecutor;

  constructor(executor: SqlExecutor) {
    this.#executor = executor;
  }

  async open(session: Session, lifetimeSeconds: number): Promise<Date> {
    const [row] = await this.#executor.query(open({ ...session, lifetimeSeconds }));
    if (row === undefined) throw new Error('a session that was opened returned no row');
    return row.expires_at;
  }

  async addToken(sessionId: string, tokenHash: Uint8Array): Promise<void> {
    await this.#executor.query(addToken({ sessionId, tokenHash }));
  }

  async useToken(tokenHash: Uint8Array): Promise<RefreshTokenUse> {
    const session = await this.findByToken(tokenHash);
    if (session === null) return { outcome: 'refused' };
    const used = await this.#executor.query(useToken({ tokenHash }));
    return { outcome: used.length === 0 ? 'reused' : 'used', session };
  }

  async findByToken(tokenHash: Uint8Array): Promise<OpenSession | null> {
    const [row] = await this.#executor.query(findByToken({ tokenHash }));
    return row === undefined ? null : toSession(row);
  }

  async addBrowser(sessionId: string, secretHash: Uint8Array): Promise<void> {
    await this.#executor.query(addBrowser({ sessionId, secretHash }));
  }

  async findBrowser(secretHash: Uint8Array): Promise<BrowserSession | null> {
    const [row] = await this.#executor.query(findBrowser({ secretHash }));
    if (row === undefined) return null;
    const { session_id: sessionId, user_id: userId, idle_seconds: idleSeconds, expires_at: expiresAt } = row;
    return { sessionId, userId, idleSeconds, expiresAt };
  }

  async noteUse(sessionId: string): Promise<void> {
    await this.#executor.query(noteUse({ sessionId }));
  }

  async listLive(userId: string): Promise<readonly LiveSession[]> {
    const rows = await this.#executor.query(listLive({ userId }));
    return rows.map((row) => ({
      sessionId: row.session_id,
      organizationId: row.org_id,
      isBrowser: row.is_browser,
      openedAt: row.created_at,
      usedAt: row.used_at,
      expiresAt: row.expires_at,
    }));
  }

  async revoke(sessionId: string): Promise<void> {
    await this.#executor.query(revoke({ sessionId }));
  }

  async revokeOf(userId: string, sessionId: string): Promise<boolean> {
    return (await this.#executor.query(revokeOf({ userId, sessionId }))).length > 0;
  }

  async revokeAll(userId: string, scope: { readonly organizationId?: OrganizationId } = {}): Promise<number> {
    const { organizationId = null } = scope;
    const ended = await this.#executor.query(revokeAll({ userId, organizationId }));
    return ended.filter(({ is_live: isLive }) => isLive).length;
  }
}
