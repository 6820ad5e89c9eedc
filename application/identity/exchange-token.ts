import { OrganizationAccessDeniedError } from '../../domain/identity/errors.ts';
import type { Role } from '../../domain/identity/role.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import type { Actor } from '../actor.ts';
import { recordDeniedAccess } from '../audit/record-denied-access.ts';
import type { IssuedToken } from '../ports/identity/tokens.ts';
import type { Ports } from '../ports/ports.ts';

/** What is lost with such a token is one organization, for this long. */
const EXCHANGED_SECONDS = 15 * 60;

/**
 * A token for one of the organizations that admitted the calling fleet, with the roles that it has there. It ends with the
 * fleet's key, and with the admission. Asks no database while the account is remembered. Decision 0048.
 *
 * @throws {OrganizationAccessDeniedError} the same for organizations that exist and that do not; recorded in the trail
 */
export const exchangeToken =
  ({
    accounts,
    accessTokens,
    ...deniedAccess
  }: Pick<Ports, 'accounts' | 'accessTokens'> & Parameters<typeof recordDeniedAccess>[0]) =>
  async (actor: Actor, organizationId: OrganizationId, route: string): Promise<IssuedToken> => {
    const { userId, keyId } = actor.principal;
    const account = await accounts.find(userId);
    const membership = account?.memberships.find((each) => each.organizationId === organizationId);
    if (membership === undefined || keyId === undefined) {
      await recordDeniedAccess(deniedAccess)(actor, { asked: organizationId, source: 'body', route });
      throw new OrganizationAccessDeniedError();
    }
    const roles = new Set<Role>(membership.roles);
    return accessTokens.issue(
      { userId, organizationId, roles },
      { sessionId: keyId, atMostSeconds: EXCHANGED_SECONDS },
    );
  };
