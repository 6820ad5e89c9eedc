import type { Principal } from '../../domain/identity/principal.ts';
import type { Ports } from '../ports/ports.ts';

/** A platform administrator who is no user: whoever holds the service's secret. */
export const OPERATOR: Principal = {
  userId: 'operator',
  organizationId: null,
  roles: new Set(['platform_admin']),
};

/**
 * A token for the operator's own process.
 *
 * @throws {UnauthenticatedError} when this service issues no tokens
 */
export const issueOperatorToken =
  ({ accessTokens }: Pick<Ports, 'accessTokens'>) =>
  (): string =>
    accessTokens.issue(OPERATOR).accessToken;
