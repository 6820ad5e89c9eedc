import type { OrganizationId } from '../organizations/organization-id.ts';

/** One login. Refresh tokens prolong it. */
export interface Session {
  readonly sessionId: string;
  readonly userId: string;
  /** Null for a platform administrator's. */
  readonly organizationId: OrganizationId | null;
}

/** A session that is not over. */
export interface OpenSession extends Session {
  /** By the clock of the metadata database. No token of the session is good after that. */
  readonly expiresAt: Date;
}

/** A login of a browser, which may act in each of its user's organizations. */
export interface BrowserSession {
  readonly sessionId: string;
  readonly userId: string;
  /** Since it last made a token, by the clock of the metadata database. */
  readonly idleSeconds: number;
  readonly expiresAt: Date;
}

/** A session that is not over, as operators see it. */
export interface LiveSession {
  readonly sessionId: string;
  /** Null for one that is for no single organization: a browser's, or a platform administrator's. */
  readonly organizationId: OrganizationId | null;
  readonly isBrowser: boolean;
  readonly openedAt: Date;
  /** When a browser last made a token in it; null for other sessions. */
  readonly usedAt: Date | null;
  readonly expiresAt: Date;
}

/** What became of a refresh token that was presented. */
export type RefreshTokenUse =
  | { readonly outcome: 'used'; readonly session: OpenSession }
  /** The token had been used before, so two clients have it or its successor. */
  | { readonly outcome: 'reused'; readonly session: OpenSession }
  /** The token was never issued, or its session is revoked or too old. */
  | { readonly outcome: 'refused' };

/** Logins and their refresh tokens, which are known by their hashes alone. */
export interface SessionRepository {
  /** Also forgets sessions of this user that ended long ago. @returns when the session will be over by its age */
  open(session: Session, lifetimeSeconds: number): Promise<Date>;
  addToken(sessionId: string, tokenHash: Uint8Array): Promise<void>;
  /** Uses a token up. Of concurrent callers with one token a single one gets `used`. */
  useToken(tokenHash: Uint8Array): Promise<RefreshTokenUse>;
  /** The session of a token, used up or not, unless it is over. */
  findByToken(tokenHash: Uint8Array): Promise<OpenSession | null>;
  /** Makes a session one of a browser, which is known by the hash of a secret. */
  addBrowser(sessionId: string, secretHash: Uint8Array): Promise<void>;
  /** The session of a browser's secret, unless it is over. */
  findBrowser(secretHash: Uint8Array): Promise<BrowserSession | null>;
  /** The browser has made a token just now. */
  noteUse(sessionId: string): Promise<void>;
  /** A user's sessions that are not over, the latest first: a hundred at most. */
  listLive(userId: string): Promise<readonly LiveSession[]>;
  revoke(sessionId: string): Promise<void>;
  /** Ends a session if it is the user's. @returns whether it was, and was not over */
  revokeOf(userId: string, sessionId: string): Promise<boolean>;
  /** Ends a user's sessions; with an organization only those for it. @returns how many were not over */
  revokeAll(userId: string, scope?: { readonly organizationId?: OrganizationId }): Promise<number>;
}
