import { v4 as uuidv4 } from 'uuid';
import { Argon2Passwords } from '../../adapters/argon2/argon2-passwords.ts';
import { randomRefreshTokens } from '../../adapters/node-crypto/random-refresh-tokens.ts';
import { SharedLoginAttempts } from '../../adapters/rate-limiter-flexible/shared-login-attempts.ts';
import { ChangeOwnPassword } from '../../application/identity/change-own-password.ts';
import { EndSession } from '../../application/identity/end-session.ts';
import { IssueToken } from '../../application/identity/issue-token.ts';
import { RefreshSession } from '../../application/identity/refresh-session.ts';
import { SessionTokens } from '../../application/identity/session-tokens.ts';
import { AddMember } from '../../application/members/add-member.ts';
import { ChangeMemberRoles } from '../../application/members/change-member-roles.ts';
import { RemoveMember } from '../../application/members/remove-member.ts';
import type { SqlDatabase } from '../../adapters/knex/statement.ts';
import type { MetadataDatabase } from '../../application/ports/databases/metadata-database.ts';
import type { TokenIssuer } from '../../application/ports/identity/tokens.ts';
import { ChangeUser } from '../../application/users/change-user.ts';
import { CreateUser } from '../../application/users/create-user.ts';
import { LinkIdentity } from '../../application/users/link-identity.ts';
import { SetPassword } from '../../application/users/set-password.ts';
import { UnlinkIdentity } from '../../application/users/unlink-identity.ts';
import type { Config } from '../config/config.ts';

/** All that logs people in and says who may do what. */
export type AccessUseCases = ReturnType<typeof accessUseCases>;

export const accessUseCases = (
  { tokens, loginAttempts }: Config,
  metadata: MetadataDatabase,
  database: SqlDatabase,
  accessTokens: TokenIssuer,
) => {
  const passwords = new Argon2Passwords();
  const attempts = new SharedLoginAttempts(database, loginAttempts);
  const sessionTokens = new SessionTokens({
    accessTokens,
    refreshTokens: randomRefreshTokens,
    newId: uuidv4,
    lifetimeSeconds: tokens.sessionTtlSeconds,
  });
  return {
    issueToken: new IssueToken({ metadata, passwords, attempts, sessionTokens }),
    refreshSession: new RefreshSession(metadata, sessionTokens),
    endSession: new EndSession(metadata, sessionTokens),
    changeOwnPassword: new ChangeOwnPassword({ metadata, passwords, attempts }),
    createUser: new CreateUser(metadata, passwords),
    changeUser: new ChangeUser(metadata),
    setPassword: new SetPassword(metadata, passwords),
    linkIdentity: new LinkIdentity(metadata),
    unlinkIdentity: new UnlinkIdentity(metadata),
    addMember: new AddMember(metadata),
    changeMemberRoles: new ChangeMemberRoles(metadata),
    removeMember: new RemoveMember(metadata),
  };
};
