import { send, type Method } from './send.ts';

/** What the routes of logins, users and members answer. */
export interface TokenReply {
  readonly access_token: string;
  readonly token_type: string;
  readonly expires_in: number;
  readonly refresh_token: string;
  readonly refresh_expires_in: number;
}

export interface UserReply {
  readonly user_id: string;
  readonly email: string;
  readonly status: string;
  readonly platform_admin: boolean;
  readonly has_password: boolean;
  readonly must_change_password: boolean;
  readonly created_at: string;
  readonly updated_at: string;
}

export interface MemberReply {
  readonly user_id: string;
  readonly email: string;
  readonly status: string;
  readonly roles: readonly string[];
}

export interface ServiceAccountReply {
  readonly service_account_id: string;
  readonly name: string;
  readonly fleet: boolean;
  readonly roles: readonly string[];
}

/** What the making of a service account answers: the key is shown this once. */
export interface NewServiceAccountReply extends ServiceAccountReply {
  readonly key_id: string;
  readonly key: string;
}

export interface IdentityReply {
  readonly identity_id: string;
  readonly issuer: string;
  readonly subject: string;
}

/** For answers that no test of the contract may see: a fault of the service's own. */
export const statusOf = async (
  url: string,
  method: Method,
  path: string,
  token: string,
  body?: unknown,
): Promise<number> => (await send(url, method, path, { token, ...(body !== undefined && { body }) })).status;
