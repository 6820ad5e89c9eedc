import { UnauthenticatedError } from '../../domain/identity/errors.ts';
import type { Role } from '../../domain/identity/role.ts';
import type { Origin } from '../origin.ts';
import type { IssuedToken } from '../ports/identity/tokens.ts';
import type { Ports } from '../ports/ports.ts';

/**
 * A token for a service account's key: of its organization, or of a fleet. It ends with the key. There is no session and no
 * refresh token: who has the key asks again, in as many processes as there are. Decision 0048.
 *
 * @throws {UnauthenticatedError} the same for every cause
 * @throws {TooManyAttemptsError} when an address sends too many keys that open nothing
 */
export const issueKeyToken =
  ({
    metadata,
    serviceKeys,
    loginAttempts,
    accessTokens,
  }: Pick<Ports, 'metadata' | 'serviceKeys' | 'loginAttempts' | 'accessTokens'>) =>
  async (key: string, origin: Origin): Promise<IssuedToken> => {
    const grant = await metadata.serviceAccounts.useKey(serviceKeys.hashOf(key));
    if (grant === null) {
      await loginAttempts.failKey(origin.address);
      throw new UnauthenticatedError('The key is not valid.');
    }
    const { accountId: userId, keyId: sessionId, organizationId } = grant;
    const roles = new Set<Role>(organizationId === null ? ['fleet'] : grant.roles);
    return accessTokens.issue({ userId, organizationId, roles }, { sessionId });
  };
